#include "storage/query/traces/match_probe.h"

#include <algorithm>

namespace larder {

MatchProbe::MatchProbe(const View& view, const TraceQuery& query, const TracePosition& position,
                       QueryContext* context)
    : view_(view),
      filter_(query.filter),
      start_{std::max(query.start.min_ns, position.latest_match_ns), query.start.max_ns},
      position_(position),
      context_(context),
      locator_(view, query.tenant, context) {}

Result<bool> MatchProbe::HasMatch(const TraceId& trace_id) {
  std::vector<TracePlace> places;
  LARDER_RETURN_IF_ERROR(locator_.Locate(trace_id, &places));
  for (const TracePlace& place : places) {
    uint32_t looked_at = UINT32_MAX;
    for (const uint32_t row : place.rows) {
      if (row / kBlockRows == looked_at) continue;
      looked_at = row / kBlockRows;
      LARDER_ASSIGN_OR_RETURN(const bool has_match, HasMatchIn(place.entry, looked_at, trace_id));
      if (has_match) return true;
    }
  }
  return false;
}

Result<bool> MatchProbe::HasMatchIn(uint32_t entry, uint32_t block, const TraceId& trace_id) {
  LARDER_ASSIGN_OR_RETURN(Probed * probed, Open(entry));
  if (probed->search == nullptr) return false;
  if (!std::binary_search(probed->candidates.begin(), probed->candidates.end(), block)) {
    return false;
  }
  if (probed->block != block) {
    probed->matches.clear();
    probed->block = block;
    const Status matched = probed->search->Match(block, &probed->matches);
    LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[entry].name, matched).status());
  }
  return std::any_of(probed->matches.begin(), probed->matches.end(), [&](const SpanMatch& match) {
    return match.trace_id == trace_id && IsBefore(match);
  });
}

Result<MatchProbe::Probed*> MatchProbe::Open(uint32_t entry) {
  const auto [found, is_new] = probed_.try_emplace(entry);
  Probed* probed = &found->second;
  if (!is_new) return probed;
  auto search = view_.entries[entry].source->Search(filter_, start_, context_);
  LARDER_ASSIGN_OR_RETURN(const bool read,
                          context_->Read(view_.entries[entry].name, search.status()));
  if (!read) return probed;
  probed->search = std::move(search).value();
  probed->candidates = probed->search->candidate_blocks();
  std::sort(probed->candidates.begin(), probed->candidates.end());
  return probed;
}

bool MatchProbe::IsBefore(const SpanMatch& match) const {
  if (match.start_ns != position_.latest_match_ns)
    return match.start_ns > position_.latest_match_ns;
  return match.trace_id <= position_.trace_id;
}

}  // namespace larder
