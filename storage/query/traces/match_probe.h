// MatchProbe: whether a given trace has a match at or after some place in the order of a walk,
// found by looking at the trace's own blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/index/trace_locator.h"
#include "storage/query/query_context.h"
#include "storage/query/traces/ordered_walk.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows all that it is given, the query's filter too.
class MatchProbe {
 public:
  // Looks for matches that a walk of `query` hands out before or at `position`.
  MatchProbe(const View& view, const TraceQuery& query, const TracePosition& position,
             QueryContext* context);

  Result<bool> HasMatch(const TraceId& trace_id);

 private:
  // The search of one source, and the matches of the block looked at last: traces that come up one
  // after the other lie side by side.
  struct Probed {
    std::unique_ptr<BlockSearch> search;  // null when the source cannot be read
    std::vector<uint32_t> candidates;     // sorted
    uint32_t block = UINT32_MAX;
    std::vector<SpanMatch> matches;
  };

  Result<Probed*> Open(uint32_t entry);
  Result<bool> HasMatchIn(uint32_t entry, uint32_t block, const TraceId& trace_id);
  bool IsBefore(const SpanMatch& match) const;

  const View& view_;
  const FilterNode& filter_;
  const TimeRange start_;
  const TracePosition position_;
  QueryContext* const context_;
  TraceLocator locator_;
  std::unordered_map<uint32_t, Probed> probed_;  // by entry
};

}  // namespace larder
