// For whom a call speaks, once the guard has let it in: which tenant, and which of its data sets.
//
// The status codes and their words are those of Jaeger's own guard (its package tenancy).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/security/call_guard.h"
#include "plugin/store/store_gate.h"

namespace larder {

struct TenancyOptions {
  bool enabled = false;             // else every call is of tenant 0, and the header is passed over
  std::string header = "x-tenant";  // in any case
  std::vector<std::string> allowed = {};  // empty: any name
  std::string fallback = {};              // of calls without the header; empty: they are refused
};

// What a call is about to do with the tenant's spans.
enum class Access : uint8_t {
  kNone,   // nothing: no tenant is asked for
  kRead,   // a tenant that never wrote has no spans
  kWrite,  // a tenant that never wrote is given its number
};

// The header that names a data set on a port that serves both: main or archive.
inline constexpr std::string_view kDataSetHeader = "larder-data-set";

// Thread-safe.
class TenantGuard {
 public:
  // `guard` and `gate` must outlive this. `is_archive`: of a port that serves the archive alone.
  TenantGuard(const CallGuard* guard, const StoreGate* gate, TenancyOptions options,
              bool is_archive);

  // What the guard says when it refuses; kUnauthenticated for a missing tenant header;
  // kPermissionDenied for two of them or for a tenant that is not allowed; kInvalidArgument for a
  // data set that there is not; kUnavailable when the store is not open; what the store says when
  // it takes no more tenants.
  Result<Caller> Admit(const CallMetadata& metadata, Access access = Access::kRead) const;
  // For a store of another process, whose guard decides about the tenant: the headers that tell it
  // for whom the call speaks, and nothing else of what its client sent. What the guard says when it
  // refuses; kInvalidArgument for a value that gRPC would not send.
  Result<Headers> Identify(const CallMetadata& metadata) const;

 private:
  // The name of the caller's tenant.
  Result<std::string_view> NameOf(const CallMetadata& metadata) const;
  Result<bool> IsArchive(const CallMetadata& metadata) const;

  const CallGuard* const guard_;
  const StoreGate* const gate_;
  const TenancyOptions options_;
  const bool is_archive_;
};

}  // namespace larder
