#include "plugin/settings/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "plugin/settings/setting_value.h"

namespace larder {
namespace {

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Status Bad(std::string_view text) {
  return Status::InvalidArgument("'" + std::string(text) +
                                 "' is not an address; write HOST:PORT, such as 127.0.0.1:17271 "
                                 "or [::1]:17271");
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress address;
  if (text.starts_with("unix:")) {
    address.is_loopback = true;
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Bad(text);
  const auto port = ParseCount(text.substr(colon + 1));
  if (!port.ok() || *port > UINT16_MAX) return Bad(text);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Bad(text);
  }
  address.host = host;
  address.port = static_cast<uint16_t>(*port);
  address.is_loopback = IsLoopback(address.host);
  return address;
}

}  // namespace larder
