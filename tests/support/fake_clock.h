// A clock that moves when told to.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/base/clock.h"

namespace larder {

// Thread-safe.
class FakeClock : public Clock {
 public:
  explicit FakeClock(uint64_t unix_ns = 1'700'000'000'000'000'000) : unix_ns_(unix_ns) {}

  uint64_t NowUnixNanos() override { return unix_ns_; }
  uint64_t MonotonicNanos() override { return monotonic_ns_; }

  // Time passes.
  void Advance(uint64_t ns) {
    unix_ns_ += ns;
    monotonic_ns_ += ns;
  }
  // Somebody sets the wall clock; no time passes.
  void SetUnixNanos(uint64_t ns) { unix_ns_ = ns; }

 private:
  std::atomic<uint64_t> unix_ns_;
  std::atomic<uint64_t> monotonic_ns_{1};
};

}  // namespace larder
