// Where a project is reached.
#pragma once

#include <string>

#include "storage/base/status.h"
#include "tiering/tier_options.h"

namespace larder {

struct SlsEndpoint {
  bool has_tls = true;
  std::string host{};        // PROJECT.ENDPOINT, with a port if there is one: the Host header
  std::string connect_to{};  // "HOST:PORT" in place of `host`; empty: `host` itself

  std::string scheme() const { return has_tls ? "https" : "http"; }
};

// The project is the first label of the host's name. An endpoint that is an address or localhost
// has no names below it, so the connection goes to the endpoint itself. kInvalidArgument for an
// endpoint that is none.
Result<SlsEndpoint> ResolveSlsEndpoint(const SlsOptions& options);

}  // namespace larder
