// What the verbs that ask a server that runs have in common: where its admin port is, and the
// token.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <httplib.h>

#include "storage/base/status.h"

namespace larder {

struct AdminAddress {
  std::string url = "http://127.0.0.1:17270";
  std::string token_file;
};

// Takes `--admin URL` or `--token-file FILE` when it stands at `*i`, and leaves `*i` at its value.
bool TakeAdminFlag(const std::vector<std::string>& arguments, size_t* i, AdminAddress* address);

struct AdminAccess {
  std::string url;           // as the HTTP client takes it
  httplib::Headers headers;  // with the token, when one is asked for
};

// kInvalidArgument: the address is none; kUnavailable names the file that cannot be read.
Result<AdminAccess> AccessTo(const AdminAddress& address);
// What a verb ends with when that failed.
int ExitCodeOf(const Status& no_access);

}  // namespace larder
