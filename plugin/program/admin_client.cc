#include "plugin/program/admin_client.h"

#include <fstream>
#include <string_view>

#include "plugin/settings/listen_address.h"

namespace larder {

bool TakeAdminFlag(const std::vector<std::string>& arguments, size_t* i, AdminAddress* address) {
  if (*i + 1 >= arguments.size()) return false;
  if (arguments[*i] == "--admin") {
    address->url = arguments[++*i];
  } else if (arguments[*i] == "--token-file") {
    address->token_file = arguments[++*i];
  } else {
    return false;
  }
  return true;
}

Result<std::string> UrlOf(const AdminAddress& address) {
  std::string url = address.url;
  if (url.ends_with('/')) url.pop_back();
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    const auto place = ParseListenAddress(url.substr(scheme.size()));
    if (place.ok() && !place->host.empty()) return url;
  }
  return Status::InvalidArgument("--admin takes http://HOST:PORT or https://HOST:PORT, not '" +
                                 address.url + "'");
}

Result<std::string> AuthorizationOf(const AdminAddress& address) {
  if (address.token_file.empty()) return std::string();
  std::string token;
  std::ifstream file(address.token_file);
  if (!std::getline(file, token)) {
    return Status::Unavailable(address.token_file + " cannot be read");
  }
  return "Bearer " + token;
}

}  // namespace larder
