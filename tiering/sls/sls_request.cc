#include "tiering/sls/sls_request.h"

#include "tiering/base/digest.h"

namespace larder {

std::string PercentEncode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (stays) {
      out += c;
    } else {
      out += '%' + HexUpper(std::string_view(&c, 1));
    }
  }
  return out;
}

std::string EncodeQuery(const std::map<std::string, std::string>& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) out += '&';
    out += PercentEncode(name) + '=' + PercentEncode(value);
  }
  return out;
}

std::string RequestTarget(const SlsRequest& request) {
  return request.query.empty() ? request.path : request.path + '?' + EncodeQuery(request.query);
}

}  // namespace larder
