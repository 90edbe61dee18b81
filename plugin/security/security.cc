#include "plugin/security/security.h"

#include <utility>

namespace larder {

Result<std::unique_ptr<Security>> Security::Open(const SecurityOptions& options) {
  auto security = std::make_unique<Security>();
  if (options.tls.enabled()) {
    LARDER_ASSIGN_OR_RETURN(security->tls_, TlsFiles::Open(options.tls));
  }
  if (!options.token_file.empty()) {
    LARDER_ASSIGN_OR_RETURN(std::unique_ptr<TokenFile> tokens, TokenFile::Open(options.token_file));
    security->guard_ = std::make_unique<CallGuard>(std::move(tokens));
  }
  return security;
}

}  // namespace larder
