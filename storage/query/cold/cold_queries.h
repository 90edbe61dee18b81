// Queries over a View with cold parts: what of the tier a question needs is fetched first, as much
// as the answer takes and no more; then the question is asked of the View and what was fetched.
//
// A search for traces goes down in time, step by step: what is complete down to some start is
// searched as if nothing lay below, and when that fills the page, nothing below is fetched. Of the
// traces it finds the other spans are fetched too, so that summaries and whole traces are whole,
// and so that a page knows which traces an earlier one had.
#pragma once

#include <memory>
#include <vector>

#include "storage/query/answer.h"
#include "storage/query/cold/cold_fetch.h"

namespace larder {

// A View that can answer, and what to ask of it.
struct ColdTraceQuery {
  std::shared_ptr<const View> view;
  TraceQuery query;  // its range ends where the View does
};

// Whether spans of the tenant lie in the cold tier alone.
bool HasColdParts(const View& view, TenantId tenant);

// Blocks for as long as the tier takes. Fails with kCancelled, or with what the View fails with.
Result<ColdTraceQuery> FetchForSearch(std::shared_ptr<const View> view, const TraceQuery& query,
                                      const ColdOptions& options, const QueryBounds& bounds,
                                      const QueryLimits& limits);

// The same for a page of spans: the View that can answer it.
Result<std::shared_ptr<const View>> FetchForSpans(std::shared_ptr<const View> view,
                                                  const SpanQuery& query,
                                                  const ColdOptions& options,
                                                  const QueryBounds& bounds,
                                                  const QueryLimits& limits);

// As the cursors of trace_cursor.h and span_cursor.h; what they need is fetched by their Next.
std::unique_ptr<TraceCursor> NewColdGetCursor(std::shared_ptr<const View> view, TenantId tenant,
                                              std::vector<TraceId> ids, const ColdOptions& options,
                                              const QueryBounds& bounds, const QueryLimits& limits);
std::unique_ptr<TraceCursor> NewColdFindCursor(const std::shared_ptr<const View>& view,
                                               TraceQuery query, const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits);
std::unique_ptr<SpanCursor> NewColdSpansCursor(const std::shared_ptr<const View>& view,
                                               SpanQuery query, const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits);

}  // namespace larder
