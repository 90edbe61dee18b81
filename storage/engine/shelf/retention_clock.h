// RetentionClock: how old data is, by a clock that no jump of the wall clock can push.
//
// Its time is an age: nanoseconds that the data directory has lived. While the process runs, age
// follows the monotonic clock and nothing else. Time during which no process ran is known from the
// wall clock alone, which may be wrong by years, so it is not believed at once: it is a debt, paid
// back at the speed of running time (age then runs twice as fast), and forgotten as far as the wall
// clock steps back. So a wrong clock can make data age at most twice as fast as it really does, and
// only for as long as the clock is wrong; and a machine that was off for a month frees the disk of
// that month's age within a month (the disk cap holds all the while).
#pragma once

#include <cstdint>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace larder {

// Thread-safe.
class RetentionClock {
 public:
  // `clock` must outlive it. `age_ns` and `age_unix_ns`: as last saved, 0 for a new directory.
  RetentionClock(Clock* clock, uint64_t age_ns, uint64_t age_unix_ns);

  // Never goes back.
  uint64_t AgeNanos();

 private:
  Clock* const clock_;
  Mutex mu_;
  uint64_t age_ns_ GUARDED_BY(mu_);
  uint64_t last_monotonic_ns_ GUARDED_BY(mu_);
  uint64_t last_unix_ns_ GUARDED_BY(mu_);
  uint64_t debt_ns_ GUARDED_BY(mu_) = 0;
};

}  // namespace larder
