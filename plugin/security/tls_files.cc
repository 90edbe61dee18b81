#include "plugin/security/tls_files.h"

#include <climits>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "storage/base/log.h"

namespace larder {
namespace {

using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;

constexpr size_t kDateBytes = 64;

// REQUIRES: `text` outlives the result; it is at most a MiB.
BioPtr BioOf(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without it OpenSSL would ask for a password on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*data*/) { return -1; }

Result<std::vector<CertificatePtr>> ParseCertificates(const std::string& pem,
                                                      const std::string& path) {
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = BioOf(pem);
  ERR_clear_error();
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    certificates.emplace_back(next);
  }
  // The end of the text is told as a missing first line; anything else is a broken certificate.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty() || !at_end) {
    return Status::InvalidArgument(path + " is not a certificate in PEM");
  }
  return certificates;
}

Result<PrivateKeyPtr> ParseKey(const std::string& pem, const std::string& path) {
  const BioPtr bio = BioOf(pem);
  PrivateKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return Status::InvalidArgument(path + " is not a private key in PEM without a password");
  }
  return key;
}

std::string DateText(const ASN1_TIME* time) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char text[kDateBytes] = {};
  BIO_gets(bio.get(), text, sizeof text);
  return text;
}

void WarnOfDates(const X509& certificate, const std::string& path) {
  if (X509_cmp_current_time(X509_get0_notAfter(&certificate)) < 0) {
    Log(LogLevel::kError, "the certificate has expired; clients will refuse it",
        {{"file", path}, {"expired", DateText(X509_get0_notAfter(&certificate))}});
  }
  if (X509_cmp_current_time(X509_get0_notBefore(&certificate)) > 0) {
    Log(LogLevel::kError, "the certificate is not valid yet; clients will refuse it",
        {{"file", path}, {"valid_from", DateText(X509_get0_notBefore(&certificate))}});
  }
}

}  // namespace

TlsIdentity::~TlsIdentity() { OPENSSL_cleanse(key_pem.data(), key_pem.size()); }

TlsFiles::TlsFiles(const TlsOptions& options)
    : options_(options), watch_({options.cert_file, options.key_file, options.client_ca_file}) {}

Result<std::unique_ptr<TlsFiles>> TlsFiles::Open(const TlsOptions& options) {
  auto files = std::unique_ptr<TlsFiles>(new TlsFiles(options));
  const MutexLock lock(files->mu_);
  files->watch_.Changed();
  LARDER_ASSIGN_OR_RETURN(files->identity_, Read(options));
  WarnOfDates(*files->identity_->cert_chain[0], options.cert_file);
  return files;
}

Result<std::shared_ptr<const TlsIdentity>> TlsFiles::Read(const TlsOptions& options) {
  auto identity = std::make_shared<TlsIdentity>();
  LARDER_ASSIGN_OR_RETURN(identity->cert_chain_pem,
                          ReadSecurityFile(options.cert_file, "the certificate", false));
  LARDER_ASSIGN_OR_RETURN(identity->key_pem,
                          ReadSecurityFile(options.key_file, "the private key", true));
  LARDER_ASSIGN_OR_RETURN(identity->cert_chain,
                          ParseCertificates(identity->cert_chain_pem, options.cert_file));
  LARDER_ASSIGN_OR_RETURN(identity->key, ParseKey(identity->key_pem, options.key_file));
  if (X509_check_private_key(identity->cert_chain[0].get(), identity->key.get()) != 1) {
    ERR_clear_error();
    return Status::InvalidArgument("the private key " + options.key_file +
                                   " is not that of the first certificate in " + options.cert_file);
  }
  if (!options.client_ca_file.empty()) {
    LARDER_ASSIGN_OR_RETURN(
        identity->client_ca_pem,
        ReadSecurityFile(options.client_ca_file, "the clients' authority", false));
    LARDER_ASSIGN_OR_RETURN(identity->client_cas,
                            ParseCertificates(identity->client_ca_pem, options.client_ca_file));
    identity->client_store.reset(X509_STORE_new());
    for (const CertificatePtr& ca : identity->client_cas) {
      X509_STORE_add_cert(identity->client_store.get(), ca.get());
    }
  }
  return std::shared_ptr<const TlsIdentity>(std::move(identity));
}

std::shared_ptr<const TlsIdentity> TlsFiles::Current() {
  const MutexLock lock(mu_);
  if (!watch_.Changed()) return identity_;
  auto read = Read(options_);
  if (!read.ok()) {
    if (last_failure_ != read.status().message()) {
      last_failure_ = read.status().message();
      Log(LogLevel::kError, "the certificate stays as it was: the new files cannot be used",
          {{"why", last_failure_}});
    }
    return identity_;
  }
  last_failure_.clear();
  const bool is_new = (*read)->cert_chain_pem != identity_->cert_chain_pem ||
                      (*read)->key_pem != identity_->key_pem ||
                      (*read)->client_ca_pem != identity_->client_ca_pem;
  if (is_new) {
    identity_ = std::move(read).value();
    Log(LogLevel::kInfo, "the certificate was read again",
        {{"file", options_.cert_file},
         {"valid_until", DateText(X509_get0_notAfter(identity_->cert_chain[0].get()))}});
    WarnOfDates(*identity_->cert_chain[0], options_.cert_file);
  }
  return identity_;
}

}  // namespace larder
