// The calls that segments do not count: of traces with spans in a head.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/edges/service_pairs.h"
#include "storage/query/edges/trace_filter.h"
#include "storage/query/index/call_units.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// A call that the heads add to what the segments count, or take from it.
struct HeadCall {
  uint64_t child_start_ns = 0;
  CallId call = 0;
  int32_t count = 0;
};

// Appends what comes to the calls over the segments of `units` (all of the tenant) with the spans
// of the tenant's heads; `filters` are TraceGatherer's. What cannot be read is a gap.
Status FindHeadCalls(const View& view, TenantId tenant, const std::vector<CallUnit>& units,
                     const TraceFilters& filters, ServicePairs* pairs, QueryContext* context,
                     std::vector<HeadCall>* calls);

}  // namespace larder
