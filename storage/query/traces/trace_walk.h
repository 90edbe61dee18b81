// TraceWalk: the traces of a search, each at its latest match, in the order of TraceQuery.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/query_context.h"
#include "storage/query/traces/match_probe.h"
#include "storage/query/traces/ordered_walk.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows all that it is given, the query's filter too.
class TraceWalk {
 public:
  // From the start, or from `query.after`, where a walk of the same query, perhaps on another View,
  // handed out its last trace: no memory of the earlier ones is needed, since a trace that comes up
  // is looked at for a match before that place.
  TraceWalk(const View& view, const TraceQuery& query, QueryContext* context);

  // The next trace and the start of its latest match; nothing when there is none or the query's
  // depth, and one more for says_next, is reached. Since spans come latest first, a trace's first
  // match is its latest.
  Result<std::optional<TracePosition>> Next();

 private:
  Result<bool> WasHandedOut(const WalkMatch& match);

  OrderedWalk walk_;
  std::optional<MatchProbe> earlier_;
  MemoryCharge memory_;
  uint64_t left_;
  std::unordered_set<TraceId, TraceIdHasher> seen_;
};

}  // namespace larder
