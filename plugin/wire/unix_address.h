// A unix socket as gRPC takes it, to listen on and to dial.
#pragma once

#include <string>
#include <string_view>

namespace larder {

// gRPC reads an address as a URI: what has a meaning there (% # ?) or no place there (blanks, bytes
// above ASCII) is written as %XX. The limit of a socket's path, 107 bytes, is for the path itself.
std::string UnixAddress(std::string_view path);

}  // namespace larder
