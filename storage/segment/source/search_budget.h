// What a search may spend inside a source of spans. An interface, since sources know nothing of the
// queries above them.
#pragma once

#include <cstdint>

#include "storage/base/status.h"

namespace larder {

// Not thread-safe.
class SearchBudget {
 public:
  virtual ~SearchBudget() = default;

  // To be asked before each piece of work that takes longer than some hundred microseconds. Why
  // the search is to end: kCancelled, kDeadlineExceeded, or kResourceExhausted (its time is spent).
  virtual Status Check() const = 0;
  // kResourceExhausted: it would hold too much, and nothing was charged.
  virtual Status Charge(uint64_t bytes) = 0;
  // REQUIRES: not more than what is charged.
  virtual void Release(uint64_t bytes) = 0;

  // One without bounds, for whoever reads everything anyway. Thread-safe, lives for ever.
  static SearchBudget* Unbounded();
};

// Memory that grows and goes with its holder. Not thread-safe; the budget must outlive it.
class MemoryCharge {
 public:
  explicit MemoryCharge(SearchBudget* budget) : budget_(budget) {}
  ~MemoryCharge() { budget_->Release(bytes_); }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;

  // The holder has `bytes` now. kResourceExhausted as SearchBudget::Charge.
  Status Resize(uint64_t bytes);
  // The holder has `bytes` more.
  Status Add(uint64_t bytes) { return Resize(bytes_ + bytes); }

 private:
  SearchBudget* const budget_;
  uint64_t bytes_ = 0;
};

}  // namespace larder
