// The rows of a segment in the order of a field that blocks do not part: durations, trace ids, span
// ids.
//
// The values of the field are cut into slices of about kSliceRuns runs. Where the slices begin is
// taken from a sample of the column, in one pass; a slice is gathered and sorted in one more. Both
// stay in the cache (page_cache.h, kLasting), so that a walk from page to page of a sorted search
// pays for a pass only where it comes to a slice that it has not seen. Nothing of this is on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/reader/segment_columns.h"

namespace larder {

// Rows of equal value that follow each other: one row, or the rows of a trace on a page.
struct KeyRun {
  uint64_t rank = 0;  // SpanOrder::Rank in the ascending order of the field
  uint32_t first_row = 0;
  uint32_t row_count = 0;
};

// Immutable.
class KeySlice : public CachedPage {
 public:
  std::vector<KeyRun> runs;  // by rank, then by row
  // More runs have one value, or nearly, than a slice can hold: none of them is here.
  bool is_wide = false;
  uint64_t memory_bytes() const override {
    return sizeof(*this) + runs.capacity() * sizeof(KeyRun);
  }
};

// Not thread-safe. Failures are kDataLoss, naming the page, or kUnavailable.
class KeyOrder {
 public:
  static constexpr size_t kSliceRuns = 1024;
  static constexpr size_t kSliceRunsMax = 8 * kSliceRuns;

  // `columns` must outlive it. REQUIRES: `field` is not kStartTime, which blocks part.
  static Result<KeyOrder> Open(const SegmentColumns& columns, SpanSortField field);

  // Whether ranks hardly tell the values apart (ids of 8 bytes behind 8 zeroes, durations that
  // recur): then there are no slices.
  bool is_coarse() const { return fences_->first.empty(); }
  size_t slice_count() const { return fences_->first.size(); }
  uint64_t memory_bytes() const { return fences_->memory_bytes(); }
  // The slice in which a value of this rank would lie. REQUIRES of the three below: !is_coarse().
  size_t SliceOf(uint64_t rank) const;
  // No value of the slice has a lower rank, none of the slice before as high a one.
  uint64_t first_rank(size_t slice) const { return fences_->first[slice]; }
  Result<std::shared_ptr<const KeySlice>> Slice(size_t slice) const;

 private:
  class Fences : public CachedPage {
   public:
    std::vector<uint64_t> first;  // ascending; that of the first slice is 0
    uint64_t memory_bytes() const override {
      return sizeof(*this) + first.capacity() * sizeof(uint64_t);
    }
  };

  KeyOrder(const SegmentColumns& columns, SpanSortField field, std::shared_ptr<const Fences> fences)
      : columns_(&columns), field_(field), fences_(std::move(fences)) {}

  const SegmentColumns* columns_;
  SpanSortField field_;
  std::shared_ptr<const Fences> fences_;
};

}  // namespace larder
