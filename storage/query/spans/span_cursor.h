// The cursor of Store::FindSpans.
#pragma once

#include <memory>

#include "storage/model/span_query.h"
#include "storage/query/answer.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// One page of spans. Finds the page at the first call of Next and holds where its spans lie (about
// 100 bytes each); the spans themselves are read chunk by chunk. `bounds` points to what must
// outlive the cursor.
std::unique_ptr<SpanCursor> NewFindSpansCursor(std::shared_ptr<const View> view, SpanQuery query,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits);

}  // namespace larder
