// HttpTransport on libcurl: connections are kept and used again.
#pragma once

#include <memory>
#include <string>

#include "tiering/sls/http_transport.h"
#include "tiering/sls/sls_endpoint.h"

namespace larder {

struct CurlOptions {
  SlsEndpoint endpoint;
  std::string ca_file;           // empty: the system's authorities
  uint32_t connections_max = 4;  // requests beyond it wait for one that ends
};

// Certificates are always verified; TLS is 1.2 or later. The proxy variables of the environment
// (https_proxy) count unless endpoint.connect_to is set.
std::unique_ptr<HttpTransport> MakeCurlTransport(CurlOptions options);

}  // namespace larder
