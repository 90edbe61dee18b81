#include "storage/base/clock.h"

#include <chrono>

namespace larder {
namespace {

template <typename C>
uint64_t NanosOf() {
  const auto since = C::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

class SystemClock : public Clock {
 public:
  uint64_t NowUnixNanos() override { return NanosOf<std::chrono::system_clock>(); }
  uint64_t MonotonicNanos() override { return NanosOf<std::chrono::steady_clock>(); }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

}  // namespace larder
