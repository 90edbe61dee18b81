// Runs: where the rows of traces lie in a source, for whoever joins many traces at once. Everything
// goes by the hash of the trace id; two traces of equal hash are joined as one, which changes
// nothing as long as their span ids differ.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/edges/trace_edges.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Rows of one trace that follow each other in one source.
struct TraceRun {
  uint64_t hash = 0;  // TraceIdHash of trace_id
  TraceId trace_id;
  uint32_t entry = 0;  // of View::entries
  uint32_t first_row = 0;
  uint32_t row_count = 0;
};

// A span of some trace; its place is an entry of the View.
struct RunSpan {
  uint64_t hash = 0;
  TraceSpan span;
};

// Appends the runs of an entry of `view` whose hash `is_wanted`, in row order. Reads every trace id
// of the source.
Status CollectTraceRuns(const View& view, uint32_t entry,
                        const std::function<bool(uint64_t hash)>& is_wanted, QueryContext* context,
                        std::vector<TraceRun>* runs);

// Appends the spans of `runs`, which are of one entry, many rows at a time.
Status ReadRunSpans(const View& view, std::span<const TraceRun> runs, QueryContext* context,
                    std::vector<RunSpan>* spans);

}  // namespace larder
