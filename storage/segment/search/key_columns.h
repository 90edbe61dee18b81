// The columns of a segment that spans are sorted by, a block at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/segment/index/index_reader.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/row_mask.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Not thread-safe; `columns` must outlive it. Failures are kDataLoss, naming the page, or
// kUnavailable.
class KeyColumns {
 public:
  explicit KeyColumns(const SegmentColumns& columns) : columns_(columns) {}

  // The keys of a block's rows that start in `start` lie in this range, as far as that is known
  // without reading a column, of durations when they are the `lead`. Where the index cannot be read
  // it says less.
  SpanKeyRange Bounds(uint32_t block, TimeRange start, SpanSortField lead);
  // Takes the rows out of `rows` whose keys lie outside `range`. Reads only the columns in which
  // `range` has a bound.
  Status Select(uint32_t block, const SpanKeyRange& range, RowMask* rows) const;
  Status Append(uint32_t block, const RowMask& rows, std::vector<SpanKeyMatch>* matches) const;

 private:
  void LoadStarts();
  void LoadDurations();

  const SegmentColumns& columns_;
  std::vector<TimeRange> starts_;  // of each block, outliers included
  bool has_asked_durations_ = false;
  std::vector<DurationBounds> durations_;  // of each block; empty when they cannot be read
};

}  // namespace larder
