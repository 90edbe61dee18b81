// The calls between services inside one trace, as Dependency (model/query.h) defines them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/query_context.h"
#include "storage/query/trace_facts.h"
#include "storage/query/trace_locator.h"
#include "storage/query/view.h"

namespace larder {

// The views live as long as the sources.
struct TraceEdge {
  std::string_view parent;
  std::string_view child;
  uint64_t child_start_ns = 0;
};

// A child whose parent id no row looked at has.
struct TraceOpenChild {
  SpanRef span;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  std::string_view service;
};

struct TraceSpan {
  SpanRef ref;
  SpanId parent;
  uint64_t start_ns = 0;
  std::string_view service;
};

// Appends the edges among the rows of `places`, which are of one trace, and its open children.
// Exact over those rows: repeats count once, however they are spread. Children without a service
// are left out of both.
Status FindTraceEdges(const View& view, const std::vector<TracePlace>& places,
                      QueryContext* context, std::vector<TraceEdge>* edges,
                      std::vector<TraceOpenChild>* open_children);

// Appends the spans of all rows of `places`.
Status LoadTraceSpans(const View& view, const std::vector<TracePlace>& places,
                      QueryContext* context, std::vector<TraceSpan>* spans);

// FindTraceEdges of spans that were loaded already. Sorts them and drops the repeats: of equal ones
// the first by SpanRef stays.
Status JoinTraceSpans(const View& view, const std::vector<TracePlace>& places,
                      QueryContext* context, std::vector<TraceSpan>* spans,
                      std::vector<TraceEdge>* edges, std::vector<TraceOpenChild>* open_children);

}  // namespace larder
