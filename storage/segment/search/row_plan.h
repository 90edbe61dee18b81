// What sets of rows say of a filter: which rows of a segment can match at all.
#pragma once

#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/bitmap/row_set.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/search/leaf_plan.h"

namespace larder {

// A superset of the rows that match; nullopt when no set of rows leaves one out. `plans` are those
// of the filter's leaves. kDataLoss, kUnavailable: the index cannot be read.
Result<std::optional<RowSet>> PossibleRows(const SegmentColumns& columns, const SpanFilter& filter,
                                           const std::vector<LeafPlan>& plans);

}  // namespace larder
