#include "tiering/sls/retry_policy.h"

#include <algorithm>
#include <array>

#include "storage/base/check.h"

namespace larder {
namespace {

constexpr uint64_t kSoonMs = 200;
constexpr uint64_t kQuotaMs = 3'000;
constexpr uint64_t kWaitMsMax = 60'000;
constexpr uint32_t kDoublingsMax = 20;

constexpr std::array<std::string_view, 5> kQuotaCodes = {"WriteQuotaExceed",
                                                         "ShardWriteQuotaExceed", "ReadQuotaExceed",
                                                         "ShardReadQuotaExceed", "ExceedQuota"};
constexpr std::array<std::string_view, 3> kQuotaMessages = {"Inflow Quota Exceed",
                                                            "Write QPS Exceed", "Read QPS Exceed"};

// What a failure means and what helps. `code` is compared without case.
struct Meaning {
  std::string_view code;
  StatusCode status;
  std::string_view cure;
};
constexpr Meaning kMeanings[] = {
    {"SignatureNotMatch", StatusCode::kUnauthenticated,
     "the access key's secret is wrong, or tier.sls.region is (signature v4)"},
    {"InvalidAccessKeyId", StatusCode::kUnauthenticated, "no such access key: look at its id"},
    {"SecurityTokenExpired", StatusCode::kUnauthenticated,
     "the temporary credentials have expired: write fresh ones to their files"},
    {"InvalidSecurityToken", StatusCode::kUnauthenticated,
     "the security token does not belong to this access key"},
    {"RequestTimeTooSkewed", StatusCode::kFailedPrecondition, "set this machine's clock"},
    {"RequestTimeExpired", StatusCode::kFailedPrecondition, "set this machine's clock"},
    {"ProjectForbidden", StatusCode::kPermissionDenied,
     "the project is closed, perhaps for an unpaid bill"},
    {"ProjectNotExist", StatusCode::kNotFound,
     "make the project in the console, or mend tier.sls.project or tier.sls.endpoint"},
    {"ProjectNotExists", StatusCode::kNotFound,
     "make the project in the console, or mend tier.sls.project or tier.sls.endpoint"},
    {"LogStoreNotExist", StatusCode::kNotFound,
     "mend tier.sls.logstore, or let Larder make it: tier.sls.create"},
    {"IndexConfigNotExist", StatusCode::kFailedPrecondition,
     "the Logstore has no index; let Larder make it: tier.sls.create"},
    {"LogStoreAlreadyExist", StatusCode::kAlreadyExists, ""},
    {"IndexAlreadyExist", StatusCode::kAlreadyExists, ""},
};

bool IsTimeRange(const SlsOutcome& outcome) {
  return IsSlsCode(outcome.code, "InvalidTimestamp") ||
         (IsSlsCode(outcome.code, "PostBodyInvalid") &&
          outcome.message.find("out of range") != std::string::npos);
}

bool IsQuota(const SlsOutcome& outcome) {
  const auto is_code = [&](std::string_view code) { return IsSlsCode(outcome.code, code); };
  const auto is_message = [&](std::string_view text) {
    return outcome.message.find(text) != std::string::npos;
  };
  return std::any_of(kQuotaCodes.begin(), kQuotaCodes.end(), is_code) ||
         std::any_of(kQuotaMessages.begin(), kQuotaMessages.end(), is_message);
}

StatusCode CodeOf(const SlsOutcome& outcome) {
  if (outcome.is_lost || outcome.http_status >= 500) return StatusCode::kUnavailable;
  if (IsQuota(outcome)) return StatusCode::kResourceExhausted;
  if (IsTimeRange(outcome)) return StatusCode::kOutOfRange;
  switch (outcome.http_status) {
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    default:
      return StatusCode::kInvalidArgument;
  }
}

}  // namespace

bool IsSlsCode(std::string_view code, std::string_view expected) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(code.begin(), code.end(), expected.begin(), expected.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

SlsAction ActionFor(const SlsOutcome& outcome) {
  if (outcome.ok()) return SlsAction::kDone;
  if (outcome.is_lost || outcome.http_status >= 500) return SlsAction::kRetry;
  if (IsSlsCode(outcome.code, "RequestTimeTooSkewed") ||
      IsSlsCode(outcome.code, "RequestTimeExpired")) {
    return SlsAction::kMendClock;
  }
  if (outcome.http_status == 401) return SlsAction::kRenewCredentials;
  if (IsQuota(outcome)) return SlsAction::kRetrySlowly;
  return SlsAction::kGiveUp;
}

Status StatusOf(const SlsOutcome& outcome) {
  LARDER_CHECK(!outcome.ok());
  if (outcome.is_lost) return Status::Unavailable(outcome.message);
  StatusCode status = CodeOf(outcome);
  std::string cure;
  for (const Meaning& meaning : kMeanings) {
    if (!IsSlsCode(outcome.code, meaning.code)) continue;
    status = meaning.status;
    if (!meaning.cure.empty()) cure = "; " + std::string(meaning.cure);
  }
  std::string text = outcome.code.empty() ? "answer without a code" : outcome.code;
  if (!outcome.message.empty()) text += ": " + outcome.message;
  text += " (HTTP " + std::to_string(outcome.http_status);
  if (!outcome.request_id.empty()) text += ", request " + outcome.request_id;
  return {status, text + ")" + cure};
}

uint64_t Backoff::BoundMs(SlsAction action, uint32_t tries) {
  const uint64_t first = action == SlsAction::kRetrySlowly ? kQuotaMs : kSoonMs;
  return std::min(kWaitMsMax, first << std::min(tries, kDoublingsMax));
}

uint64_t Backoff::NextWaitMs(SlsAction action) {
  LARDER_CHECK(action != SlsAction::kDone);
  LARDER_CHECK(action != SlsAction::kGiveUp);
  return static_cast<uint64_t>((*random_)() * static_cast<double>(BoundMs(action, tries_++)));
}

}  // namespace larder
