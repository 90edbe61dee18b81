// A request to SLS before and after it is signed, as plain values.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace larder {

struct SlsRequest {
  std::string method = "GET";
  std::string host{};      // as the Host header says it: PROJECT.ENDPOINT, a port if there is one
  std::string path = "/";  // percent-encoded
  std::map<std::string, std::string> query{};    // not encoded; each name once
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};                            // as sent: compressed
};

// RFC 3986: letters, digits, '-', '_', '.' and '~' stay; all else is %XX.
std::string PercentEncode(std::string_view text);
// "a=b&c=d", encoded and sorted by name.
std::string EncodeQuery(const std::map<std::string, std::string>& query);
// Path and query, as the request line has it.
std::string RequestTarget(const SlsRequest& request);

}  // namespace larder
