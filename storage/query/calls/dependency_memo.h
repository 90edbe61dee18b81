// What dependencies keep from one query to the next, so that a query adds up small tables: the
// calls of each minute over all segments together, exact, by the partition they go with
// (call_join.h).
//
// A segment is counted once, when it comes. That segments are merged, or get an index, changes
// nothing. When the oldest partition goes, its table goes; should others go, or parts of one, all
// is counted anew.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_set>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/calls/call_join.h"
#include "storage/query/calls/call_table.h"
#include "storage/query/edges/service_pairs.h"
#include "storage/query/index/call_units.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Of one tenant. Not thread-safe. Memory: 24 bytes for each minute and pair of services, a few for
// each segment, and 2 to 4 for each trace of those that no index covers; it does not grow with the
// spans.
class DependencyMemo {
 public:
  // Brings the memo to the segments of `view`. After a failure (cancelled, out of time or memory)
  // the work done so far is kept, and the next call goes on from there. What could not be read is a
  // gap of this and all later calls, as long as the segment is there.
  // Replaces `units` by those of the tenant in the View: of all of them the calls are known.
  Status Follow(const View& view, TenantId tenant, QueryContext* context,
                std::vector<CallUnit>* units);

  // How many segments of the tenant Follow would have to count.
  size_t UncountedSegments(const View& view, TenantId tenant) const;
  // Adds the calls of minutes [first, last] to `counts`.
  void AddTo(uint64_t first_minute, uint64_t last_minute, CallCounts* counts) const;
  // The calls that a partition is charged with (call_join.h); null: none. Valid until Follow.
  const CallTable* TableOf(uint64_t partition) const;
  // Grows when what is counted changes.
  uint64_t version() const { return version_; }
  ServicePairs* pairs() { return &pairs_; }
  const TraceFilters& filters() const { return filters_; }
  uint64_t memory_bytes() const;

 private:
  using Segments = std::map<uint64_t, const SourceEntry*>;  // by id

  // Gives up what went, or everything when it cannot be told what the rest counts without it.
  void Forget(const View& view, TenantId tenant);
  // Both return false when only counting anew helps.
  bool TakeMerged(const Segments& present);
  bool DropGone(const Segments& present);
  // Forgets the filters of segments that are gone or have an index.
  void DropFilters(const View& view, const std::vector<CallUnit>& units);

  // Adds units that are not counted yet, as many as one step takes.
  CallJoinParts NextParts(const View& view, const std::vector<CallUnit>& units) const;
  Status Count(const View& view, CallJoinParts parts, QueryContext* context);
  // Adds what the unit counts by itself. False when that cannot be read.
  Result<bool> AddOwn(const View& view, const CallUnit& unit, QueryContext* context,
                      PartitionChanges* changes);

  ServicePairs pairs_;
  std::map<uint64_t, uint64_t> counted_;  // partition of each segment that is counted
  std::map<uint64_t, CallTable> tables_;  // by partition
  std::unordered_set<uint64_t> broken_;   // indexes that cannot be read
  TraceFilters filters_;                  // of segments without an index
  std::vector<Gap> gaps_;                 // what could not be read of what is counted
  uint64_t version_ = 0;
};

}  // namespace larder
