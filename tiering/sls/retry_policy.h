// What to do about an answer of SLS, and how long to wait before the next try. Pure: randomness
// comes in, nothing here sleeps.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// How one request ended.
struct SlsOutcome {
  bool is_lost = false;  // no whole answer came: a write may have been applied or not
  int http_status = 0;
  std::string code{};        // errorCode of the body; empty when the body was none of SLS's
  std::string message{};     // errorMessage, or what failed on the way
  std::string request_id{};  // x-log-requestid, for Alibaba Cloud's support

  bool ok() const { return !is_lost && http_status == 200; }
};

enum class SlsAction : uint8_t {
  kDone,
  kRetry,             // network and server trouble: soon
  kRetrySlowly,       // a quota is used up
  kRenewCredentials,  // read them again, then once or twice more
  kMendClock,         // take the server's time, then once or twice more
  kGiveUp,
};

SlsAction ActionFor(const SlsOutcome& outcome);

// Codes are compared without case: SLS spells some of them in two ways.
bool IsSlsCode(std::string_view code, std::string_view expected);

// A failed outcome as a Status, with its cause, and its cure where one is known:
// kUnauthenticated, kPermissionDenied, kResourceExhausted (quota), kNotFound (project, Logstore),
// kAlreadyExists, kOutOfRange (a log's time), kInvalidArgument, kFailedPrecondition (no index),
// kUnavailable. REQUIRES: !outcome.ok().
Status StatusOf(const SlsOutcome& outcome);

// Waits between tries: each is random between nothing and a bound that doubles from try to try
// ("full jitter"), so that clients that failed together do not come back together.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
class Backoff {
 public:
  // `random` gives numbers in [0, 1) and must outlive this.
  explicit Backoff(const std::function<double()>* random) : random_(random) {}

  // REQUIRES: an action that tries again.
  uint64_t NextWaitMs(SlsAction action);
  // The bound of try number `tries`, the first being 0.
  static uint64_t BoundMs(SlsAction action, uint32_t tries);

 private:
  const std::function<double()>* random_;
  uint32_t tries_ = 0;
};

}  // namespace larder
