// Digests and base64, from OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// All return the bytes of the digest.
std::string Md5(std::string_view bytes);
std::string Sha256(std::string_view bytes);
std::string HmacSha1(std::string_view key, std::string_view message);
std::string HmacSha256(std::string_view key, std::string_view message);

std::string HexLower(std::string_view bytes);
std::string HexUpper(std::string_view bytes);

// The standard alphabet, padded. kDataLoss for text that is not that.
std::string Base64(std::string_view bytes);
Result<std::string> FromBase64(std::string_view text);

}  // namespace larder
