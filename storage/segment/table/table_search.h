// Filter evaluation over a SpanTable: row by row, each leaf asked once per distinct attribute pair,
// string, resource and scope.
#pragma once

#include <memory>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/source/span_source.h"
#include "storage/segment/table/table_bounds.h"
#include "storage/segment/table/table_pairs.h"

namespace larder {

// Searches rows [0, row_count). `table` and `pairs`, which are that table's, and `budget` must
// outlive the search; `blocks` are bounds of its blocks. Fails as the budget does.
Result<std::unique_ptr<BlockSearch>> MakeTableSearch(
    const SpanTable& table, TablePairs* pairs, uint32_t row_count,
    std::shared_ptr<const std::vector<BlockBounds>> blocks, const FilterNode& filter,
    TimeRange start, SearchBudget* budget);

}  // namespace larder
