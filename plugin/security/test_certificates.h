// Certificates for tests, made on the spot: an authority and what it signs.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/security/tls_files.h"

namespace larder {

struct PemPair {
  std::string cert;
  std::string key;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  const std::string& cert_pem() const { return pem_.cert; }
  // For localhost and 127.0.0.1; valid from yesterday to `valid_seconds` from now, which may be
  // negative.
  PemPair Sign(const std::string& name, int64_t valid_seconds = 3600) const;

 private:
  PrivateKeyPtr key_;
  CertificatePtr certificate_;
  PemPair pem_;
};

}  // namespace larder
