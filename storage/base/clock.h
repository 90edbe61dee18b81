// Time comes in through this seam, so that tests can jump it. A wall clock may step back or years
// ahead; code that decides what to delete must not trust one reading (engine/retention.h).
#pragma once

#include <cstdint>

namespace larder {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Nanoseconds since 1970 UTC by the wall clock.
  virtual uint64_t NowUnixNanos() = 0;
  // Nanoseconds since an arbitrary start; never goes back.
  virtual uint64_t MonotonicNanos() = 0;

  // The machine's clock. Lives for ever.
  static Clock& System();
};

}  // namespace larder
