// TLS for gRPC's listeners.
#pragma once

#include <memory>

#include <grpcpp/security/server_credentials.h>

#include "plugin/security/tls_files.h"

namespace larder {

// Credentials that ask `files` for the newest identity at each handshake; not secured when `files`
// is null. Both the result and `files` must outlive the server: gRPC keeps what it points to only
// until the server is built.
//
// gRPC's own FileWatcherCertificateProvider also reads files again, but takes a certificate whose
// key has not arrived yet, and until it does no client gets in.
std::shared_ptr<grpc::ServerCredentials> MakeGrpcCredentials(TlsFiles* files);

}  // namespace larder
