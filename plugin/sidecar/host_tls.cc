#include "plugin/sidecar/host_tls.h"

#include <array>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "plugin/security/tls_files.h"

namespace larder {
namespace {

// As long as the host's own lasts; the process ends first.
constexpr long kClockSkewSeconds = 30;
constexpr long kValidSeconds = 262'980L * 3600;
constexpr size_t kSerialBytes = 16;

using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;

bool Extend(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  const bool is_added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return is_added;
}

bool SetNames(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const char* value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(value), -1, -1,
                                      0) == 1;
  };
  return add("CN", "localhost") && add("O", "Larder") &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool SetSerial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] &= 0x7f;  // a serial is positive
  BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  const bool is_set = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return is_set;
}

// Signed by its own key, since the host takes it as the only root: so it is an authority too. Null
// when OpenSSL cannot.
CertificatePtr NewCertificate(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509* const it = certificate.get();
  X509_set_version(it, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(it), -kClockSkewSeconds);
  X509_gmtime_adj(X509_getm_notAfter(it), kValidSeconds);
  const bool is_made =
      SetSerial(it) && SetNames(it) && X509_set_pubkey(it, key) == 1 &&
      Extend(it, NID_basic_constraints, "critical,CA:TRUE") &&
      Extend(it, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign") &&
      Extend(it, NID_ext_key_usage, "serverAuth,clientAuth") &&
      Extend(it, NID_subject_alt_name, "DNS:localhost") && X509_sign(it, key, EVP_sha256()) > 0;
  if (!is_made) certificate.reset();
  return certificate;
}

std::string TextOf(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

grpc::SslServerCredentialsOptions::PemKeyCertPair ToPem(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_pem.get(), certificate);
  PEM_write_bio_PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {TextOf(key_pem), TextOf(certificate_pem)};
}

std::string ToBase64(X509* certificate) {
  unsigned char* der = nullptr;
  const int der_bytes = i2d_X509(certificate, &der);
  std::string text(static_cast<size_t>(der_bytes + 2) / 3 * 4 + 1, '\0');
  const int text_bytes =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), der, der_bytes);
  OPENSSL_free(der);
  text.resize(static_cast<size_t>(text_bytes));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

bool IsCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  return certificate != nullptr;
}

}  // namespace

Result<HostTls> MakeHostTls(const std::string& host_certificate) {
  if (host_certificate.empty()) return HostTls{};
  if (!IsCertificate(host_certificate)) {
    return Status::InvalidArgument("PLUGIN_CLIENT_CERT of the host is not a certificate in PEM");
  }
  const PrivateKeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate = key == nullptr ? nullptr : NewCertificate(key.get());
  if (certificate == nullptr) {
    return Status::Internal("OpenSSL cannot make a certificate for the host");
  }
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = host_certificate;
  options.pem_key_cert_pairs.push_back(ToPem(certificate.get(), key.get()));
  return HostTls{grpc::SslServerCredentials(options), ToBase64(certificate.get())};
}

}  // namespace larder
