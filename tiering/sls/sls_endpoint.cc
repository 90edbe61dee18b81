#include "tiering/sls/sls_endpoint.h"

#include <algorithm>
#include <string_view>

namespace larder {
namespace {

bool IsAddress(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || (!name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || c == '.';
         }));
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':';
}

bool IsHost(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsHostCharacter) &&
         std::count(text.begin(), text.end(), ':') <= 1 && text.front() != ':';
}

bool HasPort(std::string_view host) { return host.find(':') != std::string_view::npos; }

}  // namespace

Result<SlsEndpoint> ResolveSlsEndpoint(const SlsOptions& options) {
  std::string_view host = options.endpoint;
  SlsEndpoint endpoint;
  if (host.starts_with("https://")) {
    host.remove_prefix(8);
  } else if (host.starts_with("http://")) {
    host.remove_prefix(7);
    endpoint.has_tls = false;
  }
  while (host.ends_with('/')) host.remove_suffix(1);
  if (!IsHost(host)) {
    return Status::InvalidArgument("tier.sls.endpoint '" + options.endpoint +
                                   "' is no endpoint; it looks like cn-hangzhou.log.aliyuncs.com");
  }
  if (host.starts_with(options.project + ".") && !options.project.empty()) {
    return Status::InvalidArgument("tier.sls.endpoint '" + options.endpoint +
                                   "' has the project in it; leave it out there");
  }
  if (!IsHost(options.project) || HasPort(options.project)) {
    return Status::InvalidArgument("tier.sls.project '" + options.project + "' is no name");
  }
  endpoint.host = options.project + "." + std::string(host);
  endpoint.connect_to = options.connect_to;
  if (endpoint.connect_to.empty() && IsAddress(host)) {
    endpoint.connect_to =
        HasPort(host) ? std::string(host) : std::string(host) + (endpoint.has_tls ? ":443" : ":80");
  }
  return endpoint;
}

}  // namespace larder
