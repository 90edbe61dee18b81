// What tables and index say of a filter before any block is read: which templates settle it, and
// which blocks may have a match.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/search/leaf_plan.h"
#include "storage/segment/source/search_budget.h"

namespace larder {

struct SearchPlan {
  std::vector<uint32_t> candidates;  // no other block has a match; ascending
  // The rest is there when some block is a candidate.
  std::vector<uint64_t> latest_starts;     // of each block in the range, outliers included
  std::vector<LeafPlan> leaves;            // of each leaf
  std::vector<std::vector<Truth>> truths;  // of each step, of each span template
  std::optional<uint32_t> named_spans;     // a leaf that names the span ids of all matches
};

// The plan borrows nothing; what it holds is added to `memory`, of the same budget. kDataLoss,
// kUnavailable: the index or a dictionary cannot be read; and as the budget.
Result<SearchPlan> PlanSearch(const SegmentColumns& columns, const SegmentTables& tables,
                              const SpanFilter& filter, TimeRange start, const SearchBudget& budget,
                              MemoryCharge* memory);

}  // namespace larder
