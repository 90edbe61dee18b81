// Filter evaluation over the columns and the index of a sealed segment. INDEX.md says which
// questions are answered by the index, by columns, by rows.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/query.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// `columns` and `budget` must outlive the search. kInvalidArgument: a filter that filter.h does not
// describe; kDataLoss, kUnavailable: the index cannot be read; and as the budget.
Result<std::unique_ptr<BlockSearch>> MakeSegmentSearch(const SegmentColumns& columns,
                                                       const FilterNode& filter, TimeRange start,
                                                       SearchBudget* budget);

}  // namespace larder
