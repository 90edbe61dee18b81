#include "plugin/program/admin_client.h"

#include <fstream>
#include <string_view>

#include "plugin/program/commands.h"
#include "plugin/settings/listen_address.h"

namespace larder {
namespace {

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

}  // namespace

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

Result<AdminAccess> AccessTo(const AdminAddress& address) {
  AdminAccess access;
  LARDER_ASSIGN_OR_RETURN(access.url, UrlOf(address));
  if (address.token_file.empty()) return access;
  std::string token;
  std::ifstream file(address.token_file);
  if (!std::getline(file, token)) {
    return Status::Unavailable(address.token_file + " cannot be read");
  }
  access.headers.emplace("Authorization", "Bearer " + token);
  return access;
}

int ExitCodeOf(const Status& no_access) {
  return no_access.code() == StatusCode::kInvalidArgument ? kExitUsage : kExitFailure;
}

}  // namespace larder
