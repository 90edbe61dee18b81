// Summaries of traces, computed from the facts of all their spans.
#pragma once

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/index/trace_locator.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows all that it is given. A trace with a gap is summarised from what can be
// read. Memory: about 40 bytes a span of the trace at hand.
class TraceSummarizer {
 public:
  TraceSummarizer(const View& view, TenantId tenant, QueryContext* context)
      : view_(view), context_(context), locator_(view, tenant, context) {}

  Result<TraceSummary> Summarize(const TraceId& trace_id);
  // Fills in what FoundTrace says of the whole trace.
  Status FindExtent(FoundTrace* found);

 private:
  const View& view_;
  QueryContext* const context_;
  TraceLocator locator_;
};

}  // namespace larder
