#include "plugin/security/call_guard.h"

#include <optional>

#include <strings.h>

namespace larder {
namespace {

constexpr std::string_view kScheme = "Bearer ";

// Nothing when there is no token or more than one: two headers are a mistake or a trick.
std::optional<std::string_view> PresentedToken(const CallMetadata& metadata) {
  std::vector<std::string_view> values = metadata.Values("authorization");
  if (values.empty()) {
    // What Jaeger forwards of its caller (bearer_token_propagation): the bare token.
    values = metadata.Values("bearer.token");
    if (values.size() != 1) return std::nullopt;
    return values[0];
  }
  if (values.size() != 1 || values[0].size() < kScheme.size()) return std::nullopt;
  if (strncasecmp(values[0].data(), kScheme.data(), kScheme.size()) != 0) return std::nullopt;
  return values[0].substr(kScheme.size());
}

}  // namespace

Result<Caller> CallGuard::Admit(const CallMetadata& metadata) const {
  if (tokens_ != nullptr) {
    const std::optional<std::string_view> token = PresentedToken(metadata);
    if (!token) {
      return Status::Unauthenticated(
          "a token is asked for: send the header authorization: Bearer TOKEN");
    }
    if (!tokens_->Accepts(*token)) return Status::Unauthenticated("the token is not accepted");
  }
  return Caller{};
}

}  // namespace larder
