// Signs requests to SLS: V1 (HMAC-SHA1) and V4 (HMAC-SHA256), with or without the token of
// temporary credentials. Pure: the time comes in.
//
//   https://help.aliyun.com/document_detail/29012.html (V1)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tiering/sls/sls_request.h"

namespace larder {

struct SlsCredentials {
  std::string access_key_id;
  std::string access_key_secret;
  std::string security_token;  // empty: none
};

// Both set the headers that a signature needs (content-md5, date; x-log-date,
// x-log-content-sha256), the token's, and last `authorization`. Nothing whose name begins with
// x-log- or x-acs- may be added afterwards. A V4 request may bring its own x-log-content-sha256.
void SignV1(const SlsCredentials& credentials, uint64_t now_unix_s, SlsRequest* request);
void SignV4(const SlsCredentials& credentials, std::string_view region, uint64_t now_unix_s,
            SlsRequest* request);

// What is signed; for tests.
std::string StringToSignV1(const SlsRequest& request);
std::string CanonicalRequestV4(const SlsRequest& request);

// "Mon, 02 Jan 2023 03:04:05 GMT" (RFC 1123), whatever the locale.
std::string HttpDate(uint64_t unix_s);
// 0 when the text is no such date.
uint64_t ParseHttpDate(std::string_view text);

}  // namespace larder
