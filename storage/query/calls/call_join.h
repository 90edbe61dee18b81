// What comes to the counts of calls when units (call_units.h) are added to those that are counted.
//
// A unit knows the calls between its own spans. What it cannot know is found here: the traces that
// lie in several units are gathered, and each of them is counted over all its places instead of
// over each by itself. So the work is that of the new units' traces, whatever else is stored.
//
// Counts are kept by partition, so that a partition can be dropped: a partition is charged with
//
//     calls over its spans and those of later partitions  -  calls over those of later ones alone
//
// summed over all traces. The sum over the partitions from any one on is then exactly what is
// called among their spans, and to drop the oldest is to forget what it is charged with.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/calls/call_table.h"
#include "storage/query/calls/trace_gatherer.h"
#include "storage/query/edges/service_pairs.h"
#include "storage/query/index/call_units.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// By partition.
using PartitionChanges = std::map<uint64_t, CallChanges>;

struct CallJoinParts {
  std::vector<CallUnit> added;    // their segments are not counted yet
  std::vector<CallUnit> counted;  // where those of `is_counted` are
  std::vector<bool> is_counted;   // by entry of the View
};

// For one use. Not thread-safe. Borrows the View, the filters, the pairs and the context.
class CallJoin {
 public:
  CallJoin(const View& view, CallJoinParts parts, TraceFilters* filters, ServicePairs* pairs,
           QueryContext* context);

  // Adds to `changes` what the traces change that the units added do not count by themselves: those
  // which lie in two of them, or also in a segment that is counted. What cannot be read is a gap.
  // Memory: some 20 MiB at most. The segments added that have no index get a filter.
  Status Run(PartitionChanges* changes);

 private:
  using Group = uint32_t;  // 0: counted already; n: the n-th unit added
  static constexpr Group kNone = UINT32_MAX;

  Status RunSlice(uint64_t slice, int slice_bits);
  void Remember(uint32_t entry, std::span<const TraceRun> runs);
  bool IsSplit(std::span<const TraceRun> runs) const;
  Status JoinTrace(std::span<const RunSpan> spans);
  void JoinPlainTrace(std::span<const RunSpan> spans);
  Status JoinClashingTrace(std::span<const RunSpan> spans);
  // Charges the partitions with the calls over `spans`, `sign` times.
  Status Charge(const std::vector<TraceSpan>& spans, int64_t sign);
  Status Calls(std::vector<TraceSpan> spans, std::vector<TraceEdge>* calls);
  void Add(uint64_t partition, const TraceEdge& call, int64_t count);
  uint64_t PartitionOf(uint32_t entry) const { return view_.entries[entry].partition; }

  const View& view_;
  const std::vector<CallUnit> added_;
  TraceFilters* const filters_;
  ServicePairs* const pairs_;
  QueryContext* const context_;
  std::vector<Group> group_of_entry_;
  TraceGatherer gatherer_;
  PartitionChanges* changes_ = nullptr;
  std::set<uint64_t> unread_;  // segments of which some trace ids could not be read
};

}  // namespace larder
