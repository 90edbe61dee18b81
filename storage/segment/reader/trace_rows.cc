// Where a trace's rows lie: what the trace index says, checked against the trace ids.
#include <algorithm>

#include "storage/segment/reader/columns_reader.h"

namespace larder {

Status ColumnsReader::RowsOfTrace(const TraceId& trace_id, RowRange* rows) const {
  *rows = {};
  std::vector<uint32_t> blocks;
  LARDER_RETURN_IF_ERROR(BlocksOfTrace(trace_id, &blocks));
  for (const uint32_t block : blocks) {
    LARDER_RETURN_IF_ERROR(RowsOfTraceAt(trace_id, block, rows));
    if (!rows->empty()) break;  // a trace has one run of rows
  }
  return Status::Ok();
}

Status ColumnsReader::RowsOfTraceAt(const TraceId& trace_id, uint32_t block, RowRange* rows) const {
  *rows = {};
  if (block >= block_count()) return Status::Ok();
  const uint32_t page = block / kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(const auto traces, Traces(page));
  const uint32_t first = block % kPageBlocks * kBlockRows;
  const auto begins =
      std::lower_bound(traces->first_rows.begin(), traces->first_rows.end() - 1, first);
  for (auto i = begins; i != traces->first_rows.end() - 1 && *i < first + kBlockRows; ++i) {
    const auto trace = static_cast<size_t>(i - traces->first_rows.begin());
    if (traces->ids[trace] == trace_id && !(trace == 0 && traces->continues)) {
      return RunOfTrace(trace_id, page * kPageRows + *i, rows);
    }
  }
  return Status::Ok();
}

// The run from `first_row` on, over as many pages as it goes.
Status ColumnsReader::RunOfTrace(const TraceId& trace_id, uint32_t first_row,
                                 RowRange* rows) const {
  *rows = {first_row, first_row};
  while (rows->last < row_count()) {
    LARDER_ASSIGN_OR_RETURN(const auto traces, Traces(rows->last / kPageRows));
    const uint32_t in_page = rows->last % kPageRows;
    const uint32_t trace = traces->trace_of_row[in_page];
    if (!rows->empty() && !(traces->continues && traces->ids[trace] == trace_id)) break;
    const uint32_t end = traces->first_rows[trace + 1];
    rows->last += end - in_page;
    if (end < kPageRows) break;
  }
  return Status::Ok();
}

}  // namespace larder
