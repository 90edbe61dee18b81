// CPU time of a stage, for stats.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

namespace larder {

inline uint64_t ThreadCpuNanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// Adds the calling thread's CPU time during a scope to `total`, which must outlive it.
class CpuMeter {
 public:
  explicit CpuMeter(std::atomic<uint64_t>* total) : total_(total), start_(ThreadCpuNanos()) {}
  ~CpuMeter() { total_->fetch_add(ThreadCpuNanos() - start_, std::memory_order_relaxed); }
  CpuMeter(const CpuMeter&) = delete;
  CpuMeter& operator=(const CpuMeter&) = delete;

 private:
  std::atomic<uint64_t>* const total_;
  const uint64_t start_;
};

}  // namespace larder
