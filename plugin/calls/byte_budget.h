// Bytes that may be held at once, counted without a lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // False when the bytes do not fit beside what is held; when nothing is, any number fits.
  bool Take(uint64_t bytes) {
    uint64_t held = held_.load(std::memory_order_relaxed);
    do {
      if (held > 0 && (held > bytes_max_ || bytes > bytes_max_ - held)) return false;
    } while (!held_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
    return true;
  }
  void Give(uint64_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> held_{0};
};

// What one request holds; gives it back at its end. Not thread-safe.
class BudgetShare {
 public:
  // `budget` must outlive this.
  explicit BudgetShare(ByteBudget* budget) : budget_(budget) {}
  ~BudgetShare() { Resize(0); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  // False, and nothing changes, when the budget does not have that much.
  bool Resize(uint64_t bytes) {
    if (bytes > held_ && !budget_->Take(bytes - held_)) return false;
    if (bytes < held_) budget_->Give(held_ - bytes);
    held_ = bytes;
    return true;
  }

 private:
  ByteBudget* const budget_;
  uint64_t held_ = 0;
};

}  // namespace larder
