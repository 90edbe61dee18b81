#include "tiering/base/digest.h"

#include <algorithm>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "storage/base/check.h"

namespace larder {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Digest(const EVP_MD* kind, std::string_view bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 kind, nullptr);
  LARDER_CHECK(done == 1);
  digest.resize(size);
  return digest;
}

std::string Hmac(const EVP_MD* kind, std::string_view key, std::string_view message) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  const unsigned char* done =
      HMAC(kind, key.data(), static_cast<int>(key.size()), Bytes(message), message.size(),
           reinterpret_cast<unsigned char*>(digest.data()), &size);
  LARDER_CHECK(done != nullptr);
  digest.resize(size);
  return digest;
}

std::string Hex(std::string_view bytes, std::string_view digits) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace

std::string Md5(std::string_view bytes) { return Digest(EVP_md5(), bytes); }
std::string Sha256(std::string_view bytes) { return Digest(EVP_sha256(), bytes); }
std::string HmacSha1(std::string_view key, std::string_view message) {
  return Hmac(EVP_sha1(), key, message);
}
std::string HmacSha256(std::string_view key, std::string_view message) {
  return Hmac(EVP_sha256(), key, message);
}

std::string HexLower(std::string_view bytes) { return Hex(bytes, "0123456789abcdef"); }
std::string HexUpper(std::string_view bytes) { return Hex(bytes, "0123456789ABCDEF"); }

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero byte
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Bytes(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  const size_t padding = static_cast<size_t>(std::count(
      text.end() - static_cast<ptrdiff_t>(std::min<size_t>(text.size(), 2)), text.end(), '='));
  std::string bytes(text.size() / 4 * 3, '\0');
  // OpenSSL passes over blanks at both ends, which is not what was written here.
  const bool has_blanks = text.find_first_of(" \t\r\n") != std::string_view::npos;
  const int size = text.size() % 4 != 0 || has_blanks
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                         Bytes(text), static_cast<int>(text.size()));
  if (size < 0) return Status::DataLoss("not base64");
  bytes.resize(static_cast<size_t>(size) - std::min<size_t>(padding, static_cast<size_t>(size)));
  return bytes;
}

}  // namespace larder
