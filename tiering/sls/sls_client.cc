#include "tiering/sls/sls_client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/base/check.h"
#include "storage/base/file_system.h"
#include "tiering/base/bounded_json.h"
#include "tiering/sls/curl_transport.h"
#include "tiering/sls/sls_compression.h"
#include "tiering/sls/sls_endpoint.h"

namespace larder {
namespace {

constexpr uint64_t kNanosOfMs = 1'000'000;
constexpr uint64_t kSecretBytesMax = 64 << 10;
constexpr uint64_t kSleepSliceMs = 100;  // cancellation is seen at least this often
constexpr uint32_t kMendsMax = 2;        // of credentials and of the clock, in one call
constexpr size_t kMessageBytesMax = 512;

void Sleep(uint64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

double MachineRandom() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::string HostOf(const SlsOptions& options) {
  const auto endpoint = ResolveSlsEndpoint(options);
  return endpoint.ok() ? endpoint->host : options.project + "." + options.endpoint;
}

Result<std::string> ReadSecret(const std::string& path, const char* setting) {
  auto text = FileSystem::Posix().Read(path, 0, kSecretBytesMax);
  if (!text.ok()) return text.status().With(setting);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) {
    text->pop_back();
  }
  if (text->empty()) return Status::InvalidArgument(std::string(setting) + ": the file is empty");
  return text;
}

std::string JsonText(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

SlsOutcome OutcomeOf(const HttpResponse& response) {
  SlsOutcome outcome{.http_status = response.status,
                     .request_id = response.header("x-log-requestid")};
  if (response.status == 200) return outcome;
  const auto json = ParseBoundedJson(response.body);
  if (json.is_object()) {
    outcome.code = JsonText(json, "errorCode");
    outcome.message = JsonText(json, "errorMessage").substr(0, kMessageBytesMax);
  }
  if (outcome.code.empty())
    outcome.message = "the answer is not SLS's: a proxy or balancer wrote it";
  return outcome;
}

// Unpacks the body in place. Sets `refused` when it may not have the memory.
Status Unpack(HttpResponse* response, const SlsCallLimits& limits, Status* refused) {
  const std::string kind = response->header("x-log-compresstype");
  if (kind.empty()) return Status::Ok();
  const std::string raw_size = response->header("x-log-bodyrawsize");
  const bool is_number =
      !raw_size.empty() && raw_size.size() < 12 &&
      std::all_of(raw_size.begin(), raw_size.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return Status::DataLoss("a compressed answer without x-log-bodyrawsize");
  const uint64_t raw_bytes = std::stoull(raw_size);
  if (limits.hold) *refused = limits.hold(response->body.size() + raw_bytes);
  LARDER_RETURN_IF_ERROR(*refused);
  LARDER_ASSIGN_OR_RETURN(response->body, DecompressBody(kind, response->body, raw_bytes));
  return Status::Ok();
}

}  // namespace

Result<SlsCredentials> ReadSlsCredentials(const SlsOptions& options) {
  SlsCredentials credentials{options.access_key_id, options.access_key_secret,
                             options.security_token};
  if (!options.access_key_secret_file.empty()) {
    LARDER_ASSIGN_OR_RETURN(
        credentials.access_key_secret,
        ReadSecret(options.access_key_secret_file, "tier.sls.access-key-secret-file"));
  }
  if (!options.security_token_file.empty()) {
    LARDER_ASSIGN_OR_RETURN(credentials.security_token, ReadSecret(options.security_token_file,
                                                                   "tier.sls.security-token-file"));
  }
  return credentials;
}

SlsClient::SlsClient(SlsOptions options, SlsClientParts parts)
    : options_(std::move(options)),
      host_(HostOf(options_)),
      transport_(std::move(parts.transport)),
      clock_(parts.clock),
      sleep_(parts.sleep ? std::move(parts.sleep) : Sleep),
      random_(parts.random ? std::move(parts.random) : MachineRandom),
      read_credentials_(parts.credentials ? std::move(parts.credentials)
                                          : [this] { return ReadSlsCredentials(options_); }) {
  LARDER_CHECK(transport_ != nullptr);
}

Result<std::unique_ptr<SlsClient>> SlsClient::Make(const SlsOptions& options) {
  LARDER_ASSIGN_OR_RETURN(SlsEndpoint endpoint, ResolveSlsEndpoint(options));
  SlsClientParts parts;
  parts.transport = MakeCurlTransport({.endpoint = std::move(endpoint),
                                       .ca_file = options.ca_file,
                                       .connections_max = options.connections});
  return std::make_unique<SlsClient>(options, std::move(parts));
}

Result<SlsCredentials> SlsClient::CurrentCredentials() {
  const MutexLock lock(mu_);
  if (!credentials_) {
    LARDER_ASSIGN_OR_RETURN(credentials_, read_credentials_());
  }
  return *credentials_;
}

void SlsClient::ForgetCredentials() {
  const MutexLock lock(mu_);
  credentials_.reset();
}

Status SlsClient::Sign(SlsRequest* request) {
  LARDER_ASSIGN_OR_RETURN(const SlsCredentials credentials, CurrentCredentials());
  const uint64_t now = NowSeconds() + static_cast<uint64_t>(mended_skew_s_.load());
  if (options_.signature == SlsSignature::kV4) {
    SignV4(credentials, options_.region, now, request);
  } else {
    SignV1(credentials, now, request);
  }
  return Status::Ok();
}

SlsClient::Attempt SlsClient::Try(const Call& call, uint64_t time_ms_max,
                                  const SlsCallLimits& limits) {
  Attempt attempt;
  SlsRequest request = call.request;
  attempt.refused = Sign(&request);
  if (!attempt.refused.ok()) return attempt;
  if (call.bytes_sent != nullptr) *call.bytes_sent += request.body.size();
  auto response = transport_->Send(
      request,
      {.time_ms_max = time_ms_max, .is_cancelled = limits.is_cancelled, .hold = limits.hold});
  if (!response.ok()) {
    const StatusCode code = response.status().code();
    const bool is_final = code == StatusCode::kCancelled ||
                          code == StatusCode::kResourceExhausted ||
                          code == StatusCode::kFailedPrecondition;
    if (is_final) attempt.refused = response.status();
    attempt.outcome = {.is_lost = true, .message = std::string(response.status().message())};
    return attempt;
  }
  attempt.response = std::move(response).value();
  if (const uint64_t date = ParseHttpDate(attempt.response.header("date")); date != 0) {
    seen_skew_s_ = static_cast<int64_t>(date) - static_cast<int64_t>(NowSeconds());
  }
  attempt.outcome = OutcomeOf(attempt.response);
  if (!attempt.outcome.ok()) return attempt;
  const Status unpacked = Unpack(&attempt.response, limits, &attempt.refused);
  if (!unpacked.ok() && attempt.refused.ok()) {
    attempt.outcome = {.is_lost = true, .message = std::string(unpacked.message())};
  }
  return attempt;
}

// OK when another try may help, after what helps has been done.
Status SlsClient::MayTryAgain(SlsAction action, const Attempt& attempt, uint32_t* mends) {
  const bool mends_first =
      action == SlsAction::kRenewCredentials || action == SlsAction::kMendClock;
  if (action == SlsAction::kGiveUp || (mends_first && (*mends)++ == kMendsMax)) {
    return StatusOf(attempt.outcome);
  }
  if (action == SlsAction::kRenewCredentials) ForgetCredentials();
  if (action == SlsAction::kMendClock) mended_skew_s_ = seen_skew_s_.load();
  return Status::Ok();
}

Status SlsClient::Wait(uint64_t ms, const std::function<bool()>& is_cancelled) const {
  while (ms > 0) {
    if (is_cancelled && is_cancelled()) return Status::Cancelled("cancelled");
    const uint64_t slice = std::min(ms, kSleepSliceMs);
    sleep_(slice);
    ms -= slice;
  }
  return Status::Ok();
}

std::string SlsClient::PathOf(const std::string& logstore) {
  return "/logstores/" + PercentEncode(logstore);
}

Result<HttpResponse> SlsClient::Run(Call call, const SlsCallLimits& limits) {
  call.request.host = host_;
  auto& headers = call.request.headers;
  headers["x-log-apiversion"] = "0.6.0";
  headers["x-log-bodyrawsize"] = std::to_string(call.body.size());
  if (call.compresses && options_.compression != SlsCompression::kNone) {
    headers["x-log-compresstype"] = CompressionName(options_.compression);
    call.request.body = CompressBody(options_.compression, call.body);
  } else {
    call.request.body = std::move(call.body);
  }
  const uint64_t deadline = clock_->MonotonicNanos() + limits.time_ms_max * kNanosOfMs;
  Backoff backoff(&random_);
  uint32_t mends = 0;
  while (true) {
    const uint64_t now = clock_->MonotonicNanos();
    const uint64_t left_ms = now < deadline ? (deadline - now) / kNanosOfMs : 0;
    Attempt attempt =
        Try(call, std::max<uint64_t>(1, std::min(left_ms, options_.request_ms_max)), limits);
    if (!attempt.refused.ok()) return attempt.refused.With(call.name);
    const SlsAction action = ActionFor(attempt.outcome);
    if (action == SlsAction::kDone) return std::move(attempt.response);
    LARDER_RETURN_IF_ERROR(MayTryAgain(action, attempt, &mends).With(call.name));
    const uint64_t wait_ms = backoff.NextWaitMs(action);
    if (clock_->MonotonicNanos() + wait_ms * kNanosOfMs >= deadline) {
      return StatusOf(attempt.outcome).With(call.name);
    }
    LARDER_RETURN_IF_ERROR(Wait(wait_ms, limits.is_cancelled).With(call.name));
  }
}

}  // namespace larder
