// The calls between services inside one trace, as Dependency (model/query.h) defines them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/facts/trace_facts.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// The views live as long as the sources.
struct TraceEdge {
  std::string_view parent;
  std::string_view child;
  uint64_t child_start_ns = 0;
};

struct TraceSpan {
  SpanRef ref;
  SpanId parent;
  uint64_t start_ns = 0;
  std::string_view service;
};

// Appends the edges among spans of one trace, whose places are of `places`. Exact: repeats count
// once, however they are spread. Sorts the spans and drops the repeats: of equal ones the first by
// SpanRef stays.
Status JoinTraceSpans(const View& view, const std::vector<TracePlace>& places,
                      QueryContext* context, std::vector<TraceSpan>* spans,
                      std::vector<TraceEdge>* edges);

}  // namespace larder
