// The cursors of Store::GetTraces and Store::FindTraces.
#pragma once

#include <memory>
#include <vector>

#include "storage/query/answer.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// The traces of `ids` in their order, each once. `bounds` points to what must outlive the cursor.
std::unique_ptr<TraceCursor> NewGetTracesCursor(std::shared_ptr<const View> view, TenantId tenant,
                                                std::vector<TraceId> ids, const QueryBounds& bounds,
                                                const QueryLimits& limits);

// The traces that the query finds, in its order.
std::unique_ptr<TraceCursor> NewFindTracesCursor(std::shared_ptr<const View> view, TraceQuery query,
                                                 const QueryBounds& bounds,
                                                 const QueryLimits& limits);

}  // namespace larder
