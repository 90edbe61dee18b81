// Bytes that all connections together may hold.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace larder {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(uint64_t bytes_max) : left_(static_cast<int64_t>(bytes_max)) {}

  bool Take(uint64_t bytes) {
    const auto wanted = static_cast<int64_t>(bytes);
    if (left_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted) return true;
    left_.fetch_add(wanted, std::memory_order_relaxed);
    return false;
  }
  void GiveBack(uint64_t bytes) {
    left_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> left_;
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
    if (bytes < held_) budget_->GiveBack(held_ - bytes);
    held_ = bytes;
    return true;
  }

 private:
  ByteBudget* const budget_;
  uint64_t held_ = 0;
};

}  // namespace larder
