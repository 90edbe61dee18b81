// A server's certificate, its key and the authorities of its clients, read again when the files
// change: connections that stand keep what they were made with, new ones get what is new.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openssl/x509.h>

#include "plugin/security/file_watch.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"

namespace larder {

// PEM files. With `client_ca_file` every client must show a certificate that one of these
// authorities has signed (mutual TLS).
struct TlsOptions {
  // The server's own certificate first, then those between it and the root.
  std::string cert_file = {};
  std::string key_file = {};
  std::string client_ca_file = {};

  bool enabled() const { return !cert_file.empty(); }
};

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using CertificatePtr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using CertificateStorePtr = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;

// What belongs together: the key is the certificate's. Immutable.
struct TlsIdentity {
  TlsIdentity() = default;
  ~TlsIdentity();  // wipes the key
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  std::string cert_chain_pem;
  std::string key_pem;
  std::string client_ca_pem;               // empty: clients need no certificate
  std::vector<CertificatePtr> cert_chain;  // the server's own first; never empty
  PrivateKeyPtr key;
  std::vector<CertificatePtr> client_cas;
  CertificateStorePtr client_store;  // of client_cas; null without any
};

// Thread-safe.
class TlsFiles {
 public:
  // REQUIRES: options.enabled(). kInvalidArgument, with the file's name, when one cannot be read,
  // is not PEM, or the key is not the certificate's. A certificate that has expired is logged and
  // used: it is for the clients to refuse it.
  static Result<std::unique_ptr<TlsFiles>> Open(const TlsOptions& options);

  // The newest set of files that fit each other; looks at the files, which costs some
  // microseconds, so ask once for each connection. Files that do not fit (a certificate is there,
  // its key not yet) leave the set as it was, which is logged once.
  std::shared_ptr<const TlsIdentity> Current();

  bool asks_for_client_certificate() const { return !options_.client_ca_file.empty(); }

 private:
  explicit TlsFiles(const TlsOptions& options);
  static Result<std::shared_ptr<const TlsIdentity>> Read(const TlsOptions& options);

  const TlsOptions options_;
  Mutex mu_;
  FileWatch watch_ GUARDED_BY(mu_);
  std::string last_failure_ GUARDED_BY(mu_);
  std::shared_ptr<const TlsIdentity> identity_ GUARDED_BY(mu_);
};

}  // namespace larder
