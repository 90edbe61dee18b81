// From a trace id to the rows of a SpanTable: chains of rows whose ids share a bucket.
//
// Rows are chained by level, so that a small table has few buckets and none is ever moved:
//
//   level  rows from  buckets
//       0          0       64
//       1         64    1,024
//       2      1,024   16,384
//       3     16,384   65,536
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "storage/model/ids.h"

namespace larder {

// One writer, any number of readers without locks. A chain leads from later rows to earlier ones,
// as row + 1; 0 ends it.
class TraceChains {
 public:
  static constexpr size_t kLevels = 4;

  // The head of the chain that `row` is to be put before. REQUIRES: rows in ascending order.
  std::atomic<uint32_t>& Head(uint32_t row, const TraceId& trace_id) {
    while (level_ + 1 < kLevels && row >= kFirstRow[level_ + 1]) ++level_;
    return Buckets(level_)[Bucket(trace_id, level_)];
  }

  // Any thread: the latest row of a level's chain for this trace, as row + 1.
  uint32_t First(size_t level, const TraceId& trace_id) const {
    const std::atomic<uint32_t>* const buckets = levels_[level].load(std::memory_order_acquire);
    if (buckets == nullptr) return 0;
    return buckets[Bucket(trace_id, level)].load(std::memory_order_acquire);
  }

  uint64_t memory_bytes() const { return bucket_count_ * sizeof(uint32_t); }

 private:
  static constexpr std::array<uint32_t, kLevels> kFirstRow = {0, 64, 1024, 16384};
  static constexpr std::array<uint32_t, kLevels> kBuckets = {64, 1024, 16384, 65536};

  static uint32_t Bucket(const TraceId& trace_id, size_t level) {
    return static_cast<uint32_t>(TraceIdHash(trace_id)) & (kBuckets[level] - 1);
  }
  std::atomic<uint32_t>* Buckets(size_t level) {
    if (owned_[level] == nullptr) {
      owned_[level] = std::make_unique<std::atomic<uint32_t>[]>(kBuckets[level]);
      bucket_count_ += kBuckets[level];
      levels_[level].store(owned_[level].get(), std::memory_order_release);
    }
    return owned_[level].get();
  }

  std::array<std::atomic<std::atomic<uint32_t>*>, kLevels> levels_ = {};
  std::array<std::unique_ptr<std::atomic<uint32_t>[]>, kLevels> owned_;
  size_t level_ = 0;
  uint64_t bucket_count_ = 0;
};

}  // namespace larder
