// Who may call, and as whom: every call passes here first, whatever protocol brought it.
//
// What passes: every method of every service of ours (QueryCall and ExportService ask for them),
// OTLP/HTTP, and on the admin port all but /healthz and /readyz. What does not: gRPC's own health
// service, which tells probes only whether we serve; reflection is not registered when the guard
// asks for a secret.
#pragma once

#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"

namespace larder {

// On whose behalf a call runs.
struct Caller {
  TenantId tenant = 0;
};

// The headers of one call: gRPC's metadata or HTTP's headers.
class CallMetadata {
 public:
  virtual ~CallMetadata() = default;
  // All values of a header, in the order they came. `name` is lower case; HTTP's headers match it
  // in any case. The views live as long as the call's headers.
  virtual std::vector<std::string_view> Values(std::string_view name) const = 0;
};

// Thread-safe.
class CallGuard {
 public:
  // kUnauthenticated when the call does not show what is asked for. The message never quotes what
  // the caller sent.
  Result<Caller> Admit(const CallMetadata& metadata) const;

  // Whether Admit asks for a secret at all.
  bool asks_for_secret() const { return false; }
};

}  // namespace larder
