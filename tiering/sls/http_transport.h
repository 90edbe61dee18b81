// One HTTP request there and its answer back: the seam between SlsClient and the network.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "storage/base/status.h"
#include "tiering/sls/sls_request.h"

namespace larder {

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};

  // Empty when there is none.
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct HttpLimits {
  uint64_t time_ms_max = 30'000;
  std::function<bool()> is_cancelled{};  // asked now and then from the calling thread; may be empty
  // Asked before the body of the answer takes so many bytes in all; what it refuses ends the
  // request with its status. May be empty.
  std::function<Status(uint64_t bytes)> hold{};
};

// Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // The answer, whatever its status. kUnavailable: none came, or not all of it; kDeadlineExceeded;
  // kCancelled; kResourceExhausted: an answer too large; kFailedPrecondition: a certificate that
  // nobody trusts. No message has a header or a body in it.
  virtual Result<HttpResponse> Send(const SlsRequest& request, const HttpLimits& limits) = 0;
};

}  // namespace larder
