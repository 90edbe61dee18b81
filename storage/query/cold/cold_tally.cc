#include "storage/query/cold/cold_tally.h"

#include <algorithm>

namespace larder {

void ColdTally::Expect(const TraceId& trace_id, const std::vector<ColdPlace>& places) {
  auto& of_trace = traces_[trace_id];
  for (const ColdPlace& place : places) of_trace[place.segment].expected = place.spans;
}

void ColdTally::Note(uint64_t segment, const TraceId& trace_id, const SpanId& span_id) {
  const auto trace = traces_.find(trace_id);
  if (trace == traces_.end()) return;
  const auto place = trace->second.find(segment);
  if (place != trace->second.end()) place->second.span_ids.push_back(span_id);
}

std::optional<ColdTally::Count> ColdTally::CountOf(const TraceId& trace_id) {
  Count count;
  for (auto& [segment, place] : traces_.at(trace_id)) {
    if (place.expected == 0) return std::nullopt;
    std::sort(place.span_ids.begin(), place.span_ids.end());
    const auto found =
        std::unique(place.span_ids.begin(), place.span_ids.end()) - place.span_ids.begin();
    // No segment makes up for another.
    count.found += std::min<uint64_t>(static_cast<uint64_t>(found), place.expected);
    count.expected += place.expected;
  }
  return count;
}

}  // namespace larder
