#include "storage/query/edges/trace_edges.h"

#include <algorithm>
#include <tuple>

#include "storage/query/facts/trace_facts.h"

namespace larder {
namespace {

// The span that counts as the one with this id; null when none has it. `spans` are sorted by id.
const TraceSpan* FindSpan(const std::vector<TraceSpan>& spans, const SpanId& id) {
  auto next = std::lower_bound(
      spans.begin(), spans.end(), id,
      [](const TraceSpan& span, const SpanId& wanted) { return span.ref.span_id < wanted; });
  const TraceSpan* first = nullptr;
  for (; next != spans.end() && next->ref.span_id == id; ++next) {
    if (first == nullptr ||
        std::tie(next->start_ns, next->service) < std::tie(first->start_ns, first->service)) {
      first = &*next;
    }
  }
  return first;
}

// Leaves out of `spans` (sorted) all but one of those that are equal in every field.
Status DropRepeats(const View& view, const std::vector<TracePlace>& places, QueryContext* context,
                   std::vector<TraceSpan>* spans) {
  std::vector<SpanRef> refs;
  refs.reserve(spans->size());
  for (const TraceSpan& span : *spans) refs.push_back(span.ref);
  std::vector<SpanRef> repeats;
  LARDER_RETURN_IF_ERROR(FindRepeats(view, places, refs, context, &repeats));
  if (repeats.empty()) return Status::Ok();
  std::erase_if(*spans, [&](const TraceSpan& span) {
    return std::binary_search(repeats.begin(), repeats.end(), span.ref);
  });
  return Status::Ok();
}

}  // namespace

Status JoinTraceSpans(const View& view, const std::vector<TracePlace>& places,
                      QueryContext* context, std::vector<TraceSpan>* spans,
                      std::vector<TraceEdge>* edges) {
  std::sort(spans->begin(), spans->end(),
            [](const TraceSpan& a, const TraceSpan& b) { return a.ref < b.ref; });
  LARDER_RETURN_IF_ERROR(DropRepeats(view, places, context, spans));
  for (const TraceSpan& child : *spans) {
    if (child.parent.is_zero() || child.service.empty()) continue;
    const TraceSpan* parent = FindSpan(*spans, child.parent);
    if (parent == nullptr || parent->service.empty() || parent->service == child.service) continue;
    edges->push_back({parent->service, child.service, child.start_ns});
  }
  return Status::Ok();
}

}  // namespace larder
