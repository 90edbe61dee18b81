// The matches of a search in one segment, one after the other in a sorted order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/segment/search/key_order.h"
#include "storage/segment/source/row_mask.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Decides rows, a block at a time.
class RowDecider {
 public:
  virtual ~RowDecider() = default;
  // Appends the keys of those of `rows` that match.
  virtual Status Decide(uint32_t block, const RowMask& rows,
                        std::vector<SpanKeyMatch>* matches) = 0;
};

// A KeyCursor over a KeyOrder. It ends after kSlicesMax slices: a filter that few rows satisfy is
// cheaper by blocks. Not thread-safe; borrows the decider.
class SortedRows : public KeyCursor {
 public:
  static constexpr size_t kSlicesMax = 2;

  SortedRows(KeyOrder order, const SpanSort& lead, RowDecider* decider)
      : order_(std::move(order)), descending_(lead.descending), decider_(decider) {}

  // Stands before the first row of a rank, in the order of the search, of `from` or above.
  void Seek(uint64_t from);

  bool is_over() const override { return slice_ == nullptr; }
  uint64_t rank() const override { return RankOf(slice_->runs[next_]); }
  const std::optional<uint64_t>& rest() const override { return rest_; }
  uint64_t memory_bytes() const override {
    return order_.memory_bytes() + (slice_ == nullptr ? 0 : slice_->memory_bytes()) +
           rows_.capacity() * sizeof(uint32_t);
  }
  Status Next(uint64_t last, size_t runs_min, std::vector<SpanKeyMatch>* matches) override;

 private:
  uint64_t RankOf(const KeyRun& run) const { return descending_ ? ~run.rank : run.rank; }
  // Stands before the first run of a rank of `from` or above, in the slice at hand or behind it.
  void Load(uint64_t from);
  // The same within slice_; false when it has none.
  bool Place(uint64_t from);
  // False when the slice at hand is the last one.
  bool NextNumber();
  // Ends; everything from the slice at hand on is left to others.
  void Leave();
  // Takes the run at hand; false when it was the last one of its slice.
  bool TakeRun();

  const KeyOrder order_;
  const bool descending_;
  RowDecider* const decider_;
  size_t number_ = 0;                      // of the slice at hand
  std::shared_ptr<const KeySlice> slice_;  // null at the end
  size_t next_ = 0;                        // of its runs
  size_t slices_left_ = kSlicesMax;
  std::optional<uint64_t> rest_;
  std::vector<uint32_t> rows_;
};

}  // namespace larder
