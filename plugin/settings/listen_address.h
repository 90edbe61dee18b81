// Addresses to listen on: HOST:PORT, [IPV6]:PORT, or unix:PATH (gRPC only).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

struct ListenAddress {
  std::string host;  // without brackets; empty for a unix socket
  uint16_t port = 0;
  bool is_loopback = false;  // only this machine can reach it
};

// kInvalidArgument says what an address looks like.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace larder
