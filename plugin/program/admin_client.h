// What the verbs that ask a server that runs have in common: where its admin port is, and the
// token.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace larder {

struct AdminAddress {
  std::string url = "http://127.0.0.1:17270";
  std::string token_file;
};

// Takes `--admin URL` or `--token-file FILE` when it stands at `*i`, and leaves `*i` at its value.
bool TakeAdminFlag(const std::vector<std::string>& arguments, size_t* i, AdminAddress* address);

// "http://127.0.0.1:17270", as the HTTP client takes it. kInvalidArgument: it is no such address.
Result<std::string> UrlOf(const AdminAddress& address);

// The value of the header `authorization`; empty when no token is asked for. kUnavailable names the
// file that cannot be read.
Result<std::string> AuthorizationOf(const AdminAddress& address);

}  // namespace larder
