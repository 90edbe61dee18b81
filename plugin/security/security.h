// What every listener shares: certificates, and the guard of calls. Made once at the start.
#pragma once

#include <memory>
#include <string>

#include "plugin/security/call_guard.h"
#include "plugin/security/tls_files.h"
#include "storage/base/status.h"

namespace larder {

struct SecurityOptions {
  TlsOptions tls = {};
  std::string token_file = {};  // empty: no token is asked for
};

// Thread-safe. Must outlive every server that uses it.
class Security {
 public:
  // Everybody may come in, in plain text.
  Security() = default;
  // kInvalidArgument, naming the file, when one cannot be used.
  static Result<std::unique_ptr<Security>> Open(const SecurityOptions& options);

  // Null: plain text.
  TlsFiles* tls() const { return tls_.get(); }
  const CallGuard& guard() const { return *guard_; }

 private:
  std::unique_ptr<TlsFiles> tls_;
  std::unique_ptr<CallGuard> guard_ = std::make_unique<CallGuard>();
};

}  // namespace larder
