#include "plugin/wire/unix_address.h"

#include <cctype>

namespace larder {

std::string UnixAddress(std::string_view path) {
  constexpr std::string_view kPlain = "/-_.~";  // beside letters and digits (RFC 3986, 2.3)
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string address = "unix:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        byte < 0x80 && (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos);
    if (is_plain) {
      address += c;
    } else {
      address += '%';
      address += kDigits[byte >> 4];
      address += kDigits[byte & 15];
    }
  }
  return address;
}

}  // namespace larder
