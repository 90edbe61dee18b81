#include "tiering/sls/sls_signer.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "tiering/base/digest.h"

namespace larder {
namespace {

constexpr std::string_view kAlgorithmV4 = "SLS4-HMAC-SHA256";
constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm Utc(uint64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return parts;
}

bool IsOfSls(std::string_view header) {
  return header.starts_with("x-log-") || header.starts_with("x-acs-");
}

bool IsSignedV4(std::string_view header) {
  if (header == "host" || header == "content-type") return true;
  return IsOfSls(header) && !header.starts_with("x-log-meta-");
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string Header(const SlsRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

// The path and the query as V1 signs them: nothing of the query is encoded.
std::string CanonicalResourceV1(const SlsRequest& request) {
  std::string resource = request.path;
  char before = '?';
  for (const auto& [name, value] : request.query) {
    resource += before + name + '=' + value;
    before = '&';
  }
  return resource;
}

// 20230102T030405Z
std::string DateTimeV4(uint64_t unix_s) {
  const std::tm parts = Utc(unix_s);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

}  // namespace

std::string HttpDate(uint64_t unix_s) {
  const std::tm parts = Utc(unix_s);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<size_t>(parts.tm_wday)], parts.tm_mday,
                kMonths[static_cast<size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text.data();
}

uint64_t ParseHttpDate(std::string_view text) {
  std::tm parts{};
  std::array<char, 4> month{};
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%*3s, %d %3s %d %d:%d:%d GMT", &parts.tm_mday, month.data(),
                  &parts.tm_year, &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6) {
    return 0;
  }
  parts.tm_year -= 1900;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (std::string_view(month.data()) != kMonths[i]) continue;
    parts.tm_mon = static_cast<int>(i);
    const std::time_t time = timegm(&parts);
    return time > 0 ? static_cast<uint64_t>(time) : 0;
  }
  return 0;
}

std::string StringToSignV1(const SlsRequest& request) {
  std::string text = request.method + '\n' + Header(request, "content-md5") + '\n' +
                     Header(request, "content-type") + '\n' + Header(request, "date") + '\n';
  for (const auto& [name, value] : request.headers) {
    // A copy of the date, for proxies that strip it, is not signed.
    if (!IsOfSls(name) || name == "x-log-date") continue;
    text += name + ':' + std::string(Trim(value)) + '\n';
  }
  return text + CanonicalResourceV1(request);
}

void SignV1(const SlsCredentials& credentials, uint64_t now_unix_s, SlsRequest* request) {
  request->headers["date"] = HttpDate(now_unix_s);
  request->headers["x-log-signaturemethod"] = "hmac-sha1";
  if (!request->body.empty()) request->headers["content-md5"] = HexUpper(Md5(request->body));
  if (!credentials.security_token.empty()) {
    request->headers["x-acs-security-token"] = credentials.security_token;
  }
  const std::string signature =
      Base64(HmacSha1(credentials.access_key_secret, StringToSignV1(*request)));
  request->headers["authorization"] = "LOG " + credentials.access_key_id + ':' + signature;
}

std::string CanonicalRequestV4(const SlsRequest& request) {
  std::string text = request.method + '\n' + request.path + '\n';
  bool is_first = true;
  for (const auto& [name, value] : request.query) {
    if (!is_first) text += '&';
    is_first = false;
    text += name;
    if (!value.empty()) text += '=' + PercentEncode(value);
  }
  text += '\n';
  std::string names;
  for (const auto& [name, value] : request.headers) {
    if (!IsSignedV4(name)) continue;
    text += name + ':' + value + '\n';
    names += (names.empty() ? "" : ";") + name;
  }
  return text + '\n' + names + '\n' + Header(request, "x-log-content-sha256");
}

void SignV4(const SlsCredentials& credentials, std::string_view region, uint64_t now_unix_s,
            SlsRequest* request) {
  const std::string date_time = DateTimeV4(now_unix_s);
  const std::string date = date_time.substr(0, 8);
  const std::string scope = date + '/' + std::string(region) + "/sls/aliyun_v4_request";
  if (!request->host.empty()) request->headers["host"] = request->host;
  request->headers["x-log-date"] = date_time;
  request->headers.try_emplace("x-log-content-sha256", HexLower(Sha256(request->body)));
  if (!credentials.security_token.empty()) {
    request->headers["x-acs-security-token"] = credentials.security_token;
  }
  const std::string to_sign = std::string(kAlgorithmV4) + '\n' + date_time + '\n' + scope + '\n' +
                              HexLower(Sha256(CanonicalRequestV4(*request)));
  std::string key = HmacSha256("aliyun_v4" + credentials.access_key_secret, date);
  for (const std::string_view part :
       {region, std::string_view("sls"), std::string_view("aliyun_v4_request")}) {
    key = HmacSha256(key, part);
  }
  request->headers["authorization"] = std::string(kAlgorithmV4) +
                                      " Credential=" + credentials.access_key_id + '/' + scope +
                                      ",Signature=" + HexLower(HmacSha256(key, to_sign));
}

}  // namespace larder
