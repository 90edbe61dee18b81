// What dependencies keep of segments from one query to the next, so that a query adds up small
// tables: each segment's calls by minute, and how far their sum is wrong for traces that lie in
// several segments.
//
// A trace whose parent and child lie in different segments has an open child in one of them. For
// such a trace the exact calls over all its rows are found once, and the difference to the sum of
// what its segments say is kept as corrections. They are found anew only when a segment with rows
// of the trace comes or goes.
//
// Not exact: spans written twice so that both copies lie in different segments (a client's retry
// over a restart) count twice, unless their trace has an open child; the index of a closed
// partition puts that right for its segments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/base/status.h"
#include "storage/engine/query_context.h"
#include "storage/engine/service_pairs.h"
#include "storage/engine/trace_edges.h"
#include "storage/engine/trace_locator.h"
#include "storage/engine/view.h"
#include "storage/model/ids.h"

namespace larder {

struct CallCount {
  CallId call = 0;
  uint64_t count = 0;
};

// Of one segment.
struct SegmentCalls {
  struct Minute {
    uint64_t minute = 0;
    CallCount calls;
  };
  std::vector<Minute> minutes;
  std::vector<CallCount> totals;
};

struct CallCorrection {
  uint64_t child_start_ns = 0;
  CallId call = 0;
  int32_t delta = 0;
};

// Of one tenant. Not thread-safe.
class DependencyMemo {
 public:
  struct OpenTrace {
    std::vector<uint64_t> segments;  // ids of those with rows of the trace
    std::vector<CallCorrection> corrections;
  };
  using OpenTraces = std::unordered_map<TraceId, OpenTrace, TraceIdHasher>;

  // Brings the memo to the segments of `view`. After a failure (cancelled, out of time) the work
  // done so far is kept, and the next call goes on from there.
  Status Follow(const View& view, TenantId tenant, QueryContext* context);

  // Null when the segment could not be read.
  const SegmentCalls* Find(uint64_t segment_id) const;
  const OpenTraces& open_traces() const { return open_traces_; }
  ServicePairs* pairs() { return &pairs_; }
  uint64_t memory_bytes() const;

  // Appends the exact calls of all rows in `places`, and, taken away from them, what each place
  // says by itself; places of heads say nothing by themselves. True when a place has an open child.
  Result<bool> Correct(const View& view, const std::vector<TracePlace>& places,
                       QueryContext* context, std::vector<CallCorrection>* corrections);

 private:
  void Forget(const View& view, TenantId tenant);
  Status Learn(const SourceEntry& entry, QueryContext* context);
  Status Settle(const View& view, TenantId tenant, QueryContext* context);
  void Append(const std::vector<TraceEdge>& edges, int32_t delta,
              std::vector<CallCorrection>* corrections);

  ServicePairs pairs_;
  std::unordered_map<uint64_t, SegmentCalls> segments_;  // by segment id
  OpenTraces open_traces_;
  std::unordered_set<TraceId, TraceIdHasher> unsettled_;  // corrections to be found (anew)
};

}  // namespace larder
