#include "plugin/program/admin_client.h"

#include <fstream>

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
