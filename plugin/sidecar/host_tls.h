// Mutual TLS between a plugin and its host, as hosts of go-plugin with AutoMTLS want it: each side
// makes a certificate for this one process and takes no other peer. Jaeger does not ask for it.
// Source: https://github.com/hashicorp/go-plugin, mtls.go and server.go (v1.4 to v1.8).
#pragma once

#include <memory>
#include <string>

#include <grpcpp/security/server_credentials.h>

#include "storage/base/status.h"

namespace larder {

struct HostTls {
  // Null: the host did not ask, and the socket speaks plain text.
  std::shared_ptr<grpc::ServerCredentials> credentials;
  // The certificate that the host expects, for the handshake: DER in base64 without padding.
  std::string certificate;
};

// `host_certificate` is the variable PLUGIN_CLIENT_CERT: PEM, or empty. kInvalidArgument: it is not
// a certificate. Certificates of hosts have keys on P-521, which gRPC 1.51 takes over TLS 1.3 only;
// every host that is younger than Go 1.12 speaks that.
Result<HostTls> MakeHostTls(const std::string& host_certificate);

}  // namespace larder
