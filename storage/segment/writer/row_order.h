// The order of a segment's rows: traces by their first start (ties by id), the rows of a trace
// together, by start (ties by span id, then by their place in the table).
#pragma once

#include <cstdint>
#include <vector>

#include "storage/model/table/span_table.h"

namespace larder {

struct RowOrder {
  std::vector<uint32_t> sources;           // the table's row of each segment row
  std::vector<uint32_t> trace_first_rows;  // of each trace, then the row count
  std::vector<uint32_t> duplicates;        // segment rows equal in every field to an earlier one,
                                           // ascending; empty when they were dropped
};

// Orders the published rows of `table`.
RowOrder OrderRows(const SpanTable& table, bool drop_duplicates);

}  // namespace larder
