#include "plugin/security/tls_context.h"

#include <memory>

#include <openssl/err.h>

namespace larder {
namespace {

// Runs in the handshake of each connection before a certificate is chosen. 0 ends it.
int TakeIdentity(SSL* connection, void* data) {
  const std::shared_ptr<const TlsIdentity> identity = static_cast<TlsFiles*>(data)->Current();
  const auto& chain = identity->cert_chain;
  SSL_certs_clear(connection);
  if (SSL_use_certificate(connection, chain[0].get()) != 1) return 0;
  if (SSL_use_PrivateKey(connection, identity->key.get()) != 1) return 0;
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_add1_chain_cert(connection, chain[i].get()) != 1) return 0;
  }
  if (identity->client_store != nullptr) {
    SSL_set1_verify_cert_store(connection, identity->client_store.get());
    for (const CertificatePtr& ca : identity->client_cas) {
      SSL_add_client_CA(connection, ca.get());  // a hint for clients that have several
    }
  }
  return 1;
}

}  // namespace

void UseTlsFiles(SSL_CTX* context, TlsFiles* files, ClientCertificate client) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A session taken up again would skip the check of the client's certificate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_cert_cb(context, &TakeIdentity, files);
  if (!files->asks_for_client_certificate()) return;
  int mode = SSL_VERIFY_PEER;
  if (client == ClientCertificate::kRequired) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
}

bool HasClientCertificate(const SSL& connection) {
  return SSL_get0_peer_certificate(&connection) != nullptr;
}

}  // namespace larder
