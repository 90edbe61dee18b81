#include "plugin/security/grpc_credentials.h"

#include <string>

#include <grpc/grpc_security.h>

#include "storage/base/mutex.h"

namespace larder {
namespace {

// grpc++ has no way to change a certificate of a running server but the core below it does: a
// callback that each handshake asks for what is new.
class ReloadingCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingCredentials(TlsFiles* files) : files_(files) {
    const auto request = files->asks_for_client_certificate()
                             ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request, &Fetch, this));
  }
  ~ReloadingCredentials() override { grpc_server_credentials_release(credentials_); }

  // Calls are let in by the guard, not here.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<ReloadingCredentials*>(self)->Next(config);
  }

  grpc_ssl_certificate_config_reload_status Next(grpc_ssl_server_certificate_config** config) {
    const MutexLock lock(mu_);
    std::shared_ptr<const TlsIdentity> identity = files_->Current();
    if (identity == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {identity->key_pem.c_str(),
                                             identity->cert_chain_pem.c_str()};
    // gRPC wants roots even where it does not ask clients for a certificate, and then leaves them
    // unused.
    const std::string& roots =
        identity->client_ca_pem.empty() ? identity->cert_chain_pem : identity->client_ca_pem;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    given_ = std::move(identity);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  TlsFiles* const files_;
  grpc_server_credentials* credentials_;
  Mutex mu_;
  std::shared_ptr<const TlsIdentity> given_ GUARDED_BY(mu_);
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeGrpcCredentials(TlsFiles* files) {
  if (files == nullptr) return grpc::InsecureServerCredentials();
  return std::make_shared<ReloadingCredentials>(files);
}

}  // namespace larder
