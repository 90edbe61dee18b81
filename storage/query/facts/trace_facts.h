// The facts of a whole trace, row by row over all places that have spans of it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/facts/trace_place.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Hands `visit` the facts of every row of `places`, with the number of the place in `places`, a
// block of rows at a time, so that a large trace costs no memory. Rows that cannot be read are
// gaps. Stops with the Status of `visit` when that fails.
Status VisitTraceFacts(const View& view, const std::vector<TracePlace>& places,
                       QueryContext* context,
                       const std::function<Status(uint32_t place, const SpanFacts& facts)>& visit);

// A row of a trace and what tells its span from others by name.
struct SpanRef {
  SpanId span_id;
  uint32_t place = 0;  // in the places of its trace
  uint32_t row = 0;
  friend bool operator==(const SpanRef&, const SpanRef&) = default;
  friend auto operator<=>(const SpanRef&, const SpanRef&) = default;
};

// Appends to `repeats` those of `spans` (sorted) whose span is equal in every field to one before
// it in `spans`. Only rows whose span id occurs twice are read.
Status FindRepeats(const View& view, const std::vector<TracePlace>& places,
                   const std::vector<SpanRef>& spans, QueryContext* context,
                   std::vector<SpanRef>* repeats);

}  // namespace larder
