#include "tiering/sls/retry_policy.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

SlsOutcome Answer(int status, std::string code, std::string message = "") {
  return {.http_status = status, .code = std::move(code), .message = std::move(message)};
}

TEST(RetryPolicy, EveryAnswerHasItsAction) {
  const struct {
    SlsOutcome outcome;
    SlsAction action;
    StatusCode status;
  } kCases[] = {
      {{.is_lost = true, .message = "connection reset"},
       SlsAction::kRetry,
       StatusCode::kUnavailable},
      {Answer(500, "InternalServerError"), SlsAction::kRetry, StatusCode::kUnavailable},
      {Answer(502, ""), SlsAction::kRetry, StatusCode::kUnavailable},
      {Answer(503, "ServerBusy"), SlsAction::kRetry, StatusCode::kUnavailable},
      {Answer(504, ""), SlsAction::kRetry, StatusCode::kUnavailable},
      {Answer(403, "WriteQuotaExceed"), SlsAction::kRetrySlowly, StatusCode::kResourceExhausted},
      {Answer(403, "ShardWriteQuotaExceed"), SlsAction::kRetrySlowly,
       StatusCode::kResourceExhausted},
      {Answer(403, "readquotaexceed"), SlsAction::kRetrySlowly, StatusCode::kResourceExhausted},
      {Answer(403, "Other", "Project p Inflow Quota Exceed"), SlsAction::kRetrySlowly,
       StatusCode::kResourceExhausted},
      {Answer(403, "ProjectForbidden"), SlsAction::kGiveUp, StatusCode::kPermissionDenied},
      {Answer(401, "SignatureNotMatch"), SlsAction::kRenewCredentials,
       StatusCode::kUnauthenticated},
      {Answer(401, "Unauthorized"), SlsAction::kRenewCredentials, StatusCode::kUnauthenticated},
      {Answer(401, "SecurityTokenExpired"), SlsAction::kRenewCredentials,
       StatusCode::kUnauthenticated},
      {Answer(400, "RequestTimeTooSkewed"), SlsAction::kMendClock, StatusCode::kFailedPrecondition},
      {Answer(400, "RequestTimeExpired"), SlsAction::kMendClock, StatusCode::kFailedPrecondition},
      {Answer(400, "PostBodyInvalid", "The post data time is out of range"), SlsAction::kGiveUp,
       StatusCode::kOutOfRange},
      {Answer(499, "PostBodyInvalid", "The post data time is out of range"), SlsAction::kGiveUp,
       StatusCode::kOutOfRange},
      {Answer(400, "PostBodyInvalid", "bad protobuf"), SlsAction::kGiveUp,
       StatusCode::kInvalidArgument},
      {Answer(400, "PostBodyTooLarge"), SlsAction::kGiveUp, StatusCode::kInvalidArgument},
      {Answer(404, "ProjectNotExist"), SlsAction::kGiveUp, StatusCode::kNotFound},
      {Answer(404, "LogstoreNotExist"), SlsAction::kGiveUp, StatusCode::kNotFound},
      {Answer(400, "LogStoreAlreadyExist"), SlsAction::kGiveUp, StatusCode::kAlreadyExists},
      {Answer(400, "IndexConfigNotExist"), SlsAction::kGiveUp, StatusCode::kFailedPrecondition},
      {Answer(400, "InvalidCursor"), SlsAction::kGiveUp, StatusCode::kInvalidArgument},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(ActionFor(one.outcome), one.action) << one.outcome.code << one.outcome.http_status;
    EXPECT_EQ(StatusOf(one.outcome).code(), one.status) << StatusOf(one.outcome).ToString();
  }
  EXPECT_EQ(ActionFor(Answer(200, "")), SlsAction::kDone);
}

TEST(RetryPolicy, MessagesSayCauseAndCure) {
  SlsOutcome outcome = Answer(404, "LogStoreNotExist", "logstore x does not exist");
  outcome.request_id = "5F3A";
  EXPECT_EQ(StatusOf(outcome).message(),
            "LogStoreNotExist: logstore x does not exist (HTTP 404, request 5F3A); mend "
            "tier.sls.logstore, or let Larder make it: tier.sls.create");
}

TEST(Backoff, BoundsDoubleUpToAMinute) {
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetry, 0), 200U);
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetry, 3), 1600U);
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetry, 9), 60'000U);
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetry, 4'000'000'000), 60'000U);
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetrySlowly, 0), 3'000U);
  EXPECT_EQ(Backoff::BoundMs(SlsAction::kRetrySlowly, 5), 60'000U);
}

TEST(Backoff, WaitsAreSpreadOverTheWholeBound) {
  double next = 0;
  const std::function<double()> fixed = [&] { return next; };
  Backoff none(&fixed);
  EXPECT_EQ(none.NextWaitMs(SlsAction::kRetry), 0U);
  next = 0.5;
  EXPECT_EQ(none.NextWaitMs(SlsAction::kRetry), 200U);
  EXPECT_EQ(none.NextWaitMs(SlsAction::kRetrySlowly), 6'000U);

  Random seed(TestSeed());
  const std::function<double()> random = [&] {
    return static_cast<double>(seed.Below(1 << 20)) / (1 << 20);
  };
  Backoff backoff(&random);
  for (uint32_t tries = 0; tries < 40; ++tries) {
    EXPECT_LT(backoff.NextWaitMs(SlsAction::kRetry), Backoff::BoundMs(SlsAction::kRetry, tries));
  }
}

}  // namespace
}  // namespace larder
