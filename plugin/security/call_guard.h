// Who may call, and as whom: every call passes here first, whatever protocol brought it.
//
// What passes: the methods of our services (QueryCall and ExportService ask for them), OTLP/HTTP,
// and on the admin port all but /healthz and /readyz. What does not: gRPC's own health service,
// which only tells whether we serve, and what Jaeger v1 calls without a token: Capabilities and
// Close of its services. Reflection is not registered when the guard asks for a token.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/security/token_file.h"
#include "storage/base/status.h"
#include "storage/model/ids.h"

namespace larder {

// On whose behalf a call runs.
struct Caller {
  TenantId tenant = 0;
};

// Names, in lower case, and values.
using Headers = std::vector<std::pair<std::string, std::string>>;

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
  // Lets everybody in.
  CallGuard() = default;
  // Lets in who shows one of the tokens.
  explicit CallGuard(std::unique_ptr<TokenFile> tokens) : tokens_(std::move(tokens)) {}

  // kUnauthenticated when the call has no header `authorization: Bearer TOKEN` (RFC 6750) with a
  // token that is accepted, nor Jaeger's `bearer.token: TOKEN`. The message never quotes what the
  // caller sent.
  Result<Caller> Admit(const CallMetadata& metadata) const;

  bool asks_for_token() const { return tokens_ != nullptr; }

 private:
  const std::unique_ptr<TokenFile> tokens_;
};

}  // namespace larder
