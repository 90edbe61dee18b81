// Gathers the spans of many traces from all places at once, in few passes: what a look-up per trace
// and place would do, in the order of the pages.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/edges/trace_filter.h"
#include "storage/query/edges/trace_runs.h"
#include "storage/query/index/call_units.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows the View and the context.
class TraceGatherer {
 public:
  // Is told all runs of a trace; true when its spans are wanted.
  using Keep = std::function<bool(std::span<const TraceRun> runs)>;
  // Is handed all spans of a trace, sorted by SpanRef; a span's place is its entry in the View.
  using Visit = std::function<Status(std::span<const RunSpan> spans)>;

  // A trace of more rows is not joined: it is a gap.
  static constexpr uint64_t kTraceRowsMax = 1 << 18;

  // Traces are looked up in `units`, as far as their entries are `sought`. `filters` say of some
  // segments what they do not have; they are borrowed.
  TraceGatherer(const View& view, std::vector<CallUnit> units, std::vector<bool> sought,
                const TraceFilters& filters, QueryContext* context);

  // Looks the traces of `runs` up and visits those that are kept. `runs` are of entries that are
  // not sought; those of no rows only name a trace. Holds the runs and the spans of about
  // kTraceRowsMax rows at a time, charged to the context; a source that cannot be read is a gap.
  Status Gather(std::vector<TraceRun> runs, const Keep& keep, const Visit& visit);

  // Entry i is place i, for JoinTraceSpans.
  const std::vector<TracePlace>& places() const { return places_; }

 private:
  struct Trace {
    uint64_t hash = 0;
    TraceId id;
  };

  // Replaces traces_ by the distinct traces of runs_.
  void ListTraces();
  bool IsWanted(uint64_t hash) const;
  // Mixed, since those who ask for a part of all traces take a range of hashes.
  uint64_t FilterBit(uint64_t hash) const { return hash * 0x9e3779b97f4a7c15 >> filter_shift_; }
  Status FindIn(const CallUnit& unit);
  // The traces that a segment without an index may have.
  std::vector<uint32_t> CandidatesOf(uint64_t segment_id) const;
  // `traces` (numbers, ascending) may have rows in the entry.
  Status FindInSegment(uint32_t entry, std::span<const uint32_t> traces);
  Status LookUp(uint32_t entry, std::span<const uint32_t> traces);
  // Leaves the runs of traces that are kept, by hash.
  Status KeepRuns(const Keep& keep);
  Status VisitRuns(std::span<TraceRun> runs, const Visit& visit);

  const View& view_;
  const std::vector<CallUnit> units_;
  const std::vector<bool> sought_;
  const TraceFilters& filters_;
  QueryContext* const context_;
  MemoryCharge memory_;
  std::vector<TracePlace> places_;
  std::vector<TraceRun> runs_;
  std::vector<Trace> traces_;     // by hash
  std::vector<uint64_t> hashes_;  // of traces_
  std::vector<uint64_t> filter_;  // a bit for each of hashes_
  int filter_shift_ = 63;
};

}  // namespace larder
