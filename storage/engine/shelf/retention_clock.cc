#include "storage/engine/shelf/retention_clock.h"

#include <algorithm>

namespace larder {

RetentionClock::RetentionClock(Clock* clock, uint64_t age_ns, uint64_t age_unix_ns)
    : clock_(clock),
      age_ns_(age_ns),
      last_monotonic_ns_(clock->MonotonicNanos()),
      last_unix_ns_(clock->NowUnixNanos()) {
  if (age_unix_ns != 0 && last_unix_ns_ > age_unix_ns) debt_ns_ = last_unix_ns_ - age_unix_ns;
}

uint64_t RetentionClock::AgeNanos() {
  MutexLock lock(mu_);
  const uint64_t monotonic_ns = clock_->MonotonicNanos();
  const uint64_t unix_ns = clock_->NowUnixNanos();
  const uint64_t passed_ns = monotonic_ns - last_monotonic_ns_;
  // A step back of the wall clock says that it was ahead: so much of the debt never was.
  const uint64_t expected_ns = last_unix_ns_ + passed_ns;
  if (unix_ns < expected_ns) debt_ns_ -= std::min(debt_ns_, expected_ns - unix_ns);
  const uint64_t paid_ns = std::min(debt_ns_, passed_ns);
  debt_ns_ -= paid_ns;
  age_ns_ += passed_ns + paid_ns;
  last_monotonic_ns_ = monotonic_ns;
  last_unix_ns_ = unix_ns;
  return age_ns_;
}

}  // namespace larder
