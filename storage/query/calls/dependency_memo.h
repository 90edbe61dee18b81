// What dependencies keep of call units (call_units.h) from one query to the next, so that a query
// adds up small tables: each unit's calls by minute, and the calls whose parent lies in another
// unit, which are found once, by looking each open child's parent up in the other units.
//
// When a unit comes, only what is new is looked up: its open children everywhere, and what is still
// open of the others in it. When a unit goes (merged, indexed, expired), the units that had a
// parent in it begin anew.
//
// Not exact across units, until an index covers both: spans written twice, so that both copies lie
// in different units (a client's retry over a restart), count twice; and of several spans with the
// parent's id in different units any may be taken for the parent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/calls/call_units.h"
#include "storage/query/calls/service_pairs.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

struct CallCount {
  CallId call = 0;
  uint64_t count = 0;
};

struct MinuteCalls {
  uint64_t minute = 0;
  CallCount calls;
};

struct JoinedCall {
  uint64_t child_start_ns = 0;
  CallId call = 0;
};

// Which spans are the missing parents of some open child, roughly: a bit for each hash.
class WantedSpans {
 public:
  WantedSpans() : bits_(kWordsMin) {}
  // Makes room for about `count`; forgets all.
  void Reset(size_t count);
  void Add(const TraceId& trace_id, const SpanId& span_id) {
    const uint64_t bit = BitOf(trace_id, span_id);
    bits_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
  // True for all that were added, and a few others.
  bool MayHold(const TraceId& trace_id, const SpanId& span_id) const {
    const uint64_t bit = BitOf(trace_id, span_id);
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
  }
  uint64_t memory_bytes() const { return bits_.capacity() * sizeof(uint64_t); }

 private:
  static constexpr size_t kWordsMin = 64;
  uint64_t BitOf(const TraceId& trace_id, const SpanId& span_id) const;
  std::vector<uint64_t> bits_;  // a power of two of words
};

// Of one tenant. Not thread-safe.
class DependencyMemo {
 public:
  struct Unit {
    std::vector<MinuteCalls> minutes;
    std::vector<CallCount> totals;
    // Of open children whose parent was found in another unit.
    std::vector<JoinedCall> joined;
    std::vector<bool> has_parent;             // by open child
    std::unordered_set<uint64_t> parents_in;  // units
    std::unordered_set<uint64_t> searched;    // units that were looked through for parents
  };

  // Brings the memo to the segments and indexes of `view`. After a failure (cancelled, out of time)
  // the work done so far is kept, and the next call goes on from there.
  Status Follow(const View& view, TenantId tenant, QueryContext* context);

  // As of the last Follow, which must have been given the same View.
  const std::vector<CallUnit>& units() const { return units_; }
  // Null when the unit could not be read.
  const Unit* Find(uint64_t unit_id) const;
  const WantedSpans& wanted() const { return wanted_; }
  ServicePairs* pairs() { return &pairs_; }
  uint64_t memory_bytes() const;

 private:
  class ParentFinder;

  // True when a unit went.
  bool Forget();
  Status Learn(const View& view, const CallUnit& unit, QueryContext* context);
  // Looks the unit's open children up in the units it was not looked up in yet.
  Status Join(const View& view, const CallUnit& unit, QueryContext* context);
  Status GatherWanted(const View& view, QueryContext* context);

  ServicePairs pairs_;
  std::vector<CallUnit> units_;
  std::unordered_map<uint64_t, Unit> known_;  // by unit id
  std::unordered_set<uint64_t> broken_;       // indexes that cannot be read
  WantedSpans wanted_;
  bool wanted_is_current_ = true;
};

}  // namespace larder
