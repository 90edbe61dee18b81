// PartReader: reads everything that the cold tier holds of one cold part, from the latest start
// down, a stretch of time at a time.
//
// A tier may answer more than it was asked for, and anything twice (cold_tier.h). Each stretch ends
// where the tier says that its answer is whole, and what starts elsewhere is left out and comes
// with its own stretch. So equal spans always come in the same step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "storage/base/status.h"
#include "storage/model/table/span_table.h"
#include "storage/query/answer.h"
#include "storage/query/cold/cold_tier.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows the tier.
class PartReader {
 public:
  // A step holds a quarter of `memory_bytes_max`, about: how much is asked for follows from what
  // the steps before took. One that takes too much, or too long, is made anew, smaller.
  PartReader(ColdTier* tier, const ColdEntry& entry, uint64_t memory_bytes_max);

  // Told while a step goes on: how many rows came in it by now, some of which may come again.
  using OnRows = std::function<void(uint64_t rows)>;

  bool is_done() const { return is_done_; }
  // One call of the tier: appends the spans of the next stretch to `table`, unpublished; those that
  // came twice are there twice. REQUIRES: !is_done().
  Status Step(const QueryLimits& limits, const OnRows& on_rows, SpanTable* table);
  // Whether the tier gave what it was given, when of all rows of the steps `distinct_rows` were not
  // equal to another. kDataLoss says what is missing. REQUIRES: is_done().
  Status Check(uint64_t distinct_rows) const;

 private:
  // With what was found, whole from `complete_ns` on.
  Status Advance(const std::shared_ptr<const SpanTable>& found, uint64_t complete_ns,
                 SpanTable* table);
  Status Take(const std::shared_ptr<const SpanTable>& found, TimeRange stretch, SpanTable* table);

  ColdTier* const tier_;
  const ColdEntry entry_;
  const uint64_t memory_bytes_max_;
  uint64_t bound_ns_;  // what starts later was read
  uint32_t rows_wanted_;
  uint32_t rows_wanted_max_;
  bool is_done_ = false;
  uint64_t rows_ = 0;
  std::map<uint64_t, uint64_t> hours_;  // rows read that start in the hour
};

}  // namespace larder
