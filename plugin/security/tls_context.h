// TLS for the HTTP listeners, on OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include "plugin/security/tls_files.h"

namespace larder {

enum class ClientCertificate : uint8_t {
  kRequired,  // a connection without one ends in its handshake, if the files ask for one at all
  kOptional,  // one that is shown must be good; HasClientCertificate tells who showed one
};

// Makes every connection of `context` take the newest identity of `files` in its handshake. TLS 1.2
// and above. `files` must outlive the context.
void UseTlsFiles(SSL_CTX* context, TlsFiles* files, ClientCertificate client);

// Whether the peer showed a certificate (which was verified then, or the handshake had failed).
bool HasClientCertificate(const SSL& connection);

}  // namespace larder
