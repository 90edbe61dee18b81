#include "storage/query/traces/trace_walk.h"

#include <algorithm>

namespace larder {
namespace {

TimeRange RangeAfter(TimeRange range, const std::optional<TracePosition>& after) {
  if (after) range.max_ns = std::min(range.max_ns, after->latest_match_ns);
  return range;
}

}  // namespace

TraceWalk::TraceWalk(const View& view, const TraceQuery& query, QueryContext* context)
    : walk_(view, query.tenant, query.filter, RangeAfter(query.start, query.after), context),
      memory_(context),
      left_(uint64_t{query.depth} + (query.says_next ? 1 : 0)) {
  if (query.after) earlier_.emplace(view, query, *query.after, context);
}

Result<std::optional<TracePosition>> TraceWalk::Next() {
  constexpr uint64_t kSeenBytes = sizeof(TraceId) + 4 * sizeof(void*);
  while (left_ > 0) {
    LARDER_ASSIGN_OR_RETURN(const std::optional<WalkMatch> match, walk_.Next());
    if (!match) break;
    if (!seen_.insert(match->trace_id).second) continue;
    LARDER_RETURN_IF_ERROR(memory_.Resize(seen_.size() * kSeenBytes));
    LARDER_ASSIGN_OR_RETURN(const bool was_handed_out, WasHandedOut(*match));
    if (was_handed_out) continue;
    --left_;
    return std::optional<TracePosition>({match->start_ns, match->trace_id});
  }
  return std::optional<TracePosition>();
}

Result<bool> TraceWalk::WasHandedOut(const WalkMatch& match) {
  if (!earlier_) return false;
  return earlier_->HasMatch(match.trace_id);
}

}  // namespace larder
