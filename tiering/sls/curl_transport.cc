#include "tiering/sls/curl_transport.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "storage/base/check.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tiering/sls/sls_compression.h"

namespace larder {
namespace {

constexpr uint64_t kConnectMsMax = 10'000;
constexpr uint64_t kNanosOfMs = 1'000'000;
constexpr uint64_t kHeaderBytesMax = 256 << 10;
constexpr auto kWaitSlice = std::chrono::milliseconds(50);

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

// A list of curl's: of headers, of connect-to rules.
class TextList {
 public:
  TextList() = default;
  ~TextList() { curl_slist_free_all(list_); }
  TextList(const TextList&) = delete;
  TextList& operator=(const TextList&) = delete;

  void Add(const std::string& text) {
    list_ = curl_slist_append(list_, text.c_str());
    LARDER_CHECK(list_ != nullptr);
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What the callbacks of one request write to.
struct Exchange {
  HttpResponse response;
  uint64_t header_bytes = 0;
  bool is_too_large = false;
  Status refused;  // the body's memory
  const HttpLimits* limits = nullptr;
  std::array<char, CURL_ERROR_SIZE> why{};  // curl's own words

  bool IsCancelled() const { return limits->is_cancelled && limits->is_cancelled(); }
};

size_t TakeBody(char* bytes, size_t, size_t size, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  if (exchange->response.body.size() + size > kSlsBodyBytesMax) {
    exchange->is_too_large = true;
    return 0;  // ends the transfer
  }
  if (exchange->limits->hold) {
    exchange->refused = exchange->limits->hold(exchange->response.body.size() + size);
    if (!exchange->refused.ok()) return 0;
  }
  exchange->response.body.append(bytes, size);
  return size;
}

size_t TakeHeader(char* bytes, size_t, size_t size, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  exchange->header_bytes += size;
  if (exchange->header_bytes > kHeaderBytesMax) {
    exchange->is_too_large = true;
    return 0;
  }
  const std::string_view line(bytes, size);
  if (line.starts_with("HTTP/")) exchange->response.headers.clear();  // of a 100 Continue
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view value = line.substr(colon + 1);
  const size_t first = value.find_first_not_of(" \t\r\n");
  const size_t last = value.find_last_not_of(" \t\r\n");
  value = first == std::string_view::npos ? "" : value.substr(first, last - first + 1);
  exchange->response.headers[std::move(name)] = value;
  return size;
}

int AskProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->IsCancelled() ? 1 : 0;
}

// libcurl's global state, made once.
void InitializeCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  LARDER_CHECK(code == CURLE_OK);
}

class CurlTransport : public HttpTransport {
 public:
  explicit CurlTransport(CurlOptions options) : options_(std::move(options)) {
    InitializeCurl();
    if (!options_.endpoint.connect_to.empty()) {
      connect_to_.Add("::" + options_.endpoint.connect_to);
    }
    free_count_ = std::max(options_.connections_max, 1U);
  }

  Result<HttpResponse> Send(const SlsRequest& request, const HttpLimits& limits) override {
    const uint64_t begun = Clock::System().MonotonicNanos();
    LARDER_ASSIGN_OR_RETURN(Easy easy, Acquire(begun, limits));
    const uint64_t waited_ms = (Clock::System().MonotonicNanos() - begun) / kNanosOfMs;
    Exchange exchange;
    exchange.limits = &limits;
    TextList headers;
    Prepare(request, limits.time_ms_max - std::min(waited_ms, limits.time_ms_max - 1), &headers,
            &exchange, easy.get());
    const CURLcode code = curl_easy_perform(easy.get());
    const Status status = Judge(code, &exchange, easy.get());
    curl_easy_reset(easy.get());  // the connection stays
    Release(std::move(easy));
    if (!status.ok()) return status;
    return std::move(exchange.response);
  }

 private:
  Result<Easy> Acquire(uint64_t begun, const HttpLimits& limits) {
    const MutexLock lock(mu_);
    while (free_count_ == 0) {
      if (limits.is_cancelled && limits.is_cancelled()) return Status::Cancelled("cancelled");
      if (Clock::System().MonotonicNanos() - begun > limits.time_ms_max * kNanosOfMs) {
        return Status::DeadlineExceeded("no connection was free in time");
      }
      released_.WaitFor(mu_, kWaitSlice);
    }
    --free_count_;
    if (idle_.empty()) {
      Easy fresh(curl_easy_init());
      LARDER_CHECK(fresh != nullptr);
      return fresh;
    }
    Easy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  void Release(Easy easy) {
    const MutexLock lock(mu_);
    idle_.push_back(std::move(easy));
    ++free_count_;
    released_.Signal();
  }

  void Prepare(const SlsRequest& request, uint64_t time_ms_max, TextList* headers,
               Exchange* exchange, CURL* easy) const {
    const SlsEndpoint& endpoint = options_.endpoint;
    const std::string url = endpoint.scheme() + "://" + endpoint.host + RequestTarget(request);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    if (connect_to_.get() != nullptr) {
      curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(time_ms_max));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::min(time_ms_max, kConnectMsMax)));
    SetMessage(request, headers, easy);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &TakeBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &TakeHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->why.data());
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &AskProgress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
  }

  static void SetMessage(const SlsRequest& request, TextList* headers, CURL* easy) {
    if (!request.body.empty() || request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    // What curl would add by itself; the signature covers content-type, "Expect" costs a second.
    headers->Add("Expect:");
    if (!request.headers.contains("content-type")) headers->Add("Content-Type:");
    headers->Add("User-Agent: larder");
    for (const auto& [name, value] : request.headers) {
      headers->Add(value.empty() ? name + ";" : name + ": " + value);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers->get());
  }

  Status Judge(CURLcode code, Exchange* exchange, CURL* easy) const {
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      exchange->response.status = static_cast<int>(status);
      return Status::Ok();
    }
    const std::string where = options_.endpoint.connect_to.empty() ? options_.endpoint.host
                                                                   : options_.endpoint.connect_to;
    const std::string why = exchange->why[0] != 0 ? exchange->why.data() : curl_easy_strerror(code);
    const std::string text = where + ": " + why;
    if (!exchange->refused.ok()) return exchange->refused;
    if (exchange->is_too_large) return Status::ResourceExhausted(where + ": too large an answer");
    if (code == CURLE_ABORTED_BY_CALLBACK) return Status::Cancelled("cancelled");
    if (code == CURLE_OPERATION_TIMEDOUT) return Status::DeadlineExceeded(text);
    if (IsOfCertificate(code)) {
      return Status::FailedPrecondition(text + "; tier.sls.ca-file names authorities to trust");
    }
    return Status::Unavailable(text);
  }

  // The server's, or the file of authorities: nothing that another try mends.
  static bool IsOfCertificate(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR;
  }

  const CurlOptions options_;
  TextList connect_to_;
  Mutex mu_;
  CondVar released_;
  uint32_t free_count_ GUARDED_BY(mu_) = 0;
  std::vector<Easy> idle_ GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<HttpTransport> MakeCurlTransport(CurlOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace larder
