#include "storage/query/calls/dependency_table.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "storage/query/calls/trace_gatherer.h"
#include "storage/query/cold/cold_part.h"
#include "storage/query/index/partition_index.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;
constexpr uint64_t kRowsPerSlice = 1 << 18;

TimeRange MinuteRange(uint64_t minute) {
  const uint64_t first_ns = minute * kMinuteNs;
  return {first_ns, first_ns + std::min(kMinuteNs - 1, UINT64_MAX - first_ns)};
}

// Whose calls are counted from rows: copies of evicted partitions are left out, since their cold
// parts have their calls, those to and from other evicted partitions too.
class CountedView {
 public:
  explicit CountedView(const View& view) : view_(&view) {
    std::set<uint64_t> fetched;
    for (const ColdEntry& entry : view.cold) {
      if (entry.is_fetched) fetched.insert(entry.scope.partition);
    }
    if (fetched.empty()) return;
    own_.version = view.version;
    own_.cold = view.cold;
    std::set<uint64_t> left_out;
    for (const SourceEntry& entry : view.entries) {
      const bool is_copy = entry.segment != nullptr && fetched.contains(entry.partition);
      is_copy ? void(left_out.insert(entry.id)) : own_.entries.push_back(entry);
    }
    for (const auto& index : view.indexes) {
      if (!left_out.contains(index->info().segment_ids.front())) own_.indexes.push_back(index);
    }
    view_ = &own_;
  }
  const View& operator*() const { return *view_; }

 private:
  const View* view_;
  View own_;
};

// One answer being added up from the segments.
class DependencyCounter {
 public:
  DependencyCounter(const View& view, const std::vector<CallUnit>& units, TimeRange range,
                    DependencyMemo* memo, QueryContext* context)
      : view_(view), units_(units), range_(range), memo_(memo), context_(context) {}

  Status AddSegments() {
    uint64_t first = range_.min_ns / kMinuteNs;
    uint64_t end = range_.max_ns / kMinuteNs + 1;
    const uint64_t last = end - 1;
    LARDER_ASSIGN_OR_RETURN(const bool cuts_first, AddCutMinute(first));
    if (cuts_first) ++first;
    if (last >= first && last * kMinuteNs > range_.min_ns) {
      LARDER_ASSIGN_OR_RETURN(const bool cuts_last, AddCutMinute(last));
      if (cuts_last) --end;
    }
    if (first < end) memo_->AddTo(first, end - 1, &counts_);
    return Status::Ok();
  }

  void AddHeads(const std::vector<HeadCall>& calls) {
    for (const HeadCall& call : calls) {
      if (range_.contains(call.child_start_ns)) counts_[call.call] += call.count;
    }
  }

  Status AddCold(TenantId tenant) {
    const uint64_t first = range_.min_ns / kMinuteNs;
    const uint64_t last = range_.max_ns / kMinuteNs;
    const TimeRange minutes = {MinuteRange(first).min_ns, MinuteRange(last).max_ns};
    for (const ColdEntry& entry : view_.cold) {
      if (entry.scope.tenant != tenant || !entry.part->MayStartIn(minutes)) continue;
      LARDER_RETURN_IF_ERROR(context_->Check());
      std::vector<ColdCall> calls;
      const Status found = entry.part->Calls(&calls);
      LARDER_ASSIGN_OR_RETURN(const bool read, context_->Read(entry.part->Name(), found));
      if (!read) continue;
      for (const ColdCall& call : calls) {
        if (call.minute < first || call.minute > last) continue;
        counts_[memo_->pairs()->IdOf(call.parent, call.child)] += call.count;
      }
    }
    return Status::Ok();
  }

  void Finish(std::vector<Dependency>* dependencies) const {
    const ServicePairs& pairs = *memo_->pairs();
    for (const auto& [call, count] : counts_) {
      if (count <= 0) continue;  // less than none: not all could be read
      dependencies->push_back(
          {pairs.parent(call), pairs.child(call), static_cast<uint64_t>(count)});
    }
    std::sort(dependencies->begin(), dependencies->end());
  }

 private:
  // When the range leaves spans of the minute out: adds what it takes in, from rows, and says true.
  Result<bool> AddCutMinute(uint64_t minute) {
    const TimeRange whole = MinuteRange(minute);
    const TimeRange part = {std::max(whole.min_ns, range_.min_ns),
                            std::min(whole.max_ns, range_.max_ns)};
    bool cuts = false;
    if (part.min_ns > whole.min_ns) {
      LARDER_ASSIGN_OR_RETURN(cuts, MayHaveRows({whole.min_ns, part.min_ns - 1}));
    }
    if (!cuts && part.max_ns < whole.max_ns) {
      LARDER_ASSIGN_OR_RETURN(cuts, MayHaveRows({part.max_ns + 1, whole.max_ns}));
    }
    if (!cuts) return false;
    LARDER_RETURN_IF_ERROR(AddRows(part));
    return true;
  }

  // Calls `visit` with each segment's search for spans that start in `part`.
  Status VisitSearches(TimeRange part,
                       const std::function<Status(uint32_t entry, BlockSearch* search)>& visit) {
    for (const CallUnit& unit : units_) {
      for (const uint32_t i : unit.entries) {
        const SourceEntry& entry = view_.entries[i];
        const TimeRange starts = entry.source->start_range();
        if (starts.max_ns < part.min_ns || starts.min_ns > part.max_ns) continue;
        LARDER_RETURN_IF_ERROR(context_->Check());
        auto search = entry.source->Search(any_, part, context_);
        LARDER_ASSIGN_OR_RETURN(const bool opened, context_->Read(entry.name, search.status()));
        if (opened) LARDER_RETURN_IF_ERROR(visit(i, search.value().get()));
      }
    }
    return Status::Ok();
  }

  Result<uint64_t> RowsIn(TimeRange part) {
    uint64_t rows = 0;
    LARDER_RETURN_IF_ERROR(VisitSearches(part, [&](uint32_t /*entry*/, BlockSearch* search) {
      rows += search->candidate_blocks().size() * kBlockRows;
      return Status::Ok();
    }));
    return rows;
  }
  Result<bool> MayHaveRows(TimeRange part) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t rows, RowsIn(part));
    return rows > 0;
  }

  // The calls whose child starts in `part`, from the traces of the spans that do.
  Status AddRows(TimeRange part) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t rows, RowsIn(part));
    TraceGatherer gatherer(view_, units_, EntriesOf(view_, units_), memo_->filters(), context_);
    int slice_bits = 0;
    while (rows >> slice_bits > kRowsPerSlice) ++slice_bits;
    for (uint64_t slice = 0; slice < uint64_t{1} << slice_bits; ++slice) {
      const auto is_of_slice = [&](uint64_t hash) {
        return slice_bits == 0 || hash >> (64 - slice_bits) == slice;
      };
      std::vector<TraceRun> traces;
      LARDER_RETURN_IF_ERROR(FindTraces(part, is_of_slice, &traces));
      LARDER_RETURN_IF_ERROR(gatherer.Gather(
          std::move(traces), [](std::span<const TraceRun> /*runs*/) { return true; },
          [&](std::span<const RunSpan> spans) { return AddTrace(spans, part, gatherer); }));
    }
    return Status::Ok();
  }

  // Appends the traces with a span that starts in `part`, as runs of no rows.
  Status FindTraces(TimeRange part, const std::function<bool(uint64_t)>& is_wanted,
                    std::vector<TraceRun>* traces) {
    std::vector<SpanMatch> matches;
    return VisitSearches(part, [&](uint32_t i, BlockSearch* search) -> Status {
      const std::vector<uint32_t> blocks = search->candidate_blocks();
      for (const uint32_t block : blocks) {
        LARDER_RETURN_IF_ERROR(context_->Check());
        matches.clear();
        const Status matched = search->Match(block, &matches);
        LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[i].name, matched).status());
        for (const SpanMatch& match : matches) {
          if (!traces->empty() && traces->back().trace_id == match.trace_id) continue;
          const uint64_t hash = TraceIdHash(match.trace_id);
          if (is_wanted(hash)) traces->push_back({hash, match.trace_id, i, match.row, 0});
        }
      }
      return Status::Ok();
    });
  }

  Status AddTrace(std::span<const RunSpan> spans, TimeRange part, const TraceGatherer& gatherer) {
    std::vector<TraceSpan> trace;
    for (const RunSpan& span : spans) trace.push_back(span.span);
    std::vector<TraceEdge> edges;
    LARDER_RETURN_IF_ERROR(JoinTraceSpans(view_, gatherer.places(), context_, &trace, &edges));
    for (const TraceEdge& edge : edges) {
      if (part.contains(edge.child_start_ns))
        ++counts_[memo_->pairs()->IdOf(edge.parent, edge.child)];
    }
    return Status::Ok();
  }

  const View& view_;
  const std::vector<CallUnit>& units_;
  const TimeRange range_;
  DependencyMemo* const memo_;
  QueryContext* const context_;
  const FilterNode any_;
  CallCounts counts_;
};

}  // namespace

Status DependencyTable::Count(const ViewSource& views, TenantId tenant, TimeRange child_start,
                              QueryContext* context, std::vector<Dependency>* dependencies) {
  if (child_start.min_ns > child_start.max_ns) return Status::Ok();
  const MutexLock lock(mu_);
  const std::shared_ptr<const View> whole = views(tenant);
  const CountedView counted(*whole);
  const View& view = *counted;
  Tenant& known = tenants_[tenant];
  std::vector<CallUnit> units;
  LARDER_RETURN_IF_ERROR(known.memo.Follow(view, tenant, context, &units));
  LARDER_RETURN_IF_ERROR(ReadHeads(view, tenant, units, context, &known));
  CountMemory();
  DependencyCounter counter(view, units, child_start, &known.memo, context);
  LARDER_RETURN_IF_ERROR(counter.AddSegments());
  LARDER_RETURN_IF_ERROR(counter.AddCold(tenant));
  counter.AddHeads(known.head_calls);
  counter.Finish(dependencies);
  return Status::Ok();
}

Status DependencyTable::Prepare(const ViewSource& views, TenantId tenant, size_t segments_min,
                                QueryContext* context) {
  const MutexLock lock(mu_);
  const std::shared_ptr<const View> whole = views(tenant);
  const CountedView counted(*whole);
  const View& view = *counted;
  DependencyMemo& memo = tenants_[tenant].memo;
  if (memo.UncountedSegments(view, tenant) < segments_min) return Status::Ok();
  std::vector<CallUnit> units;
  Status followed = memo.Follow(view, tenant, context, &units);
  CountMemory();
  return followed;
}

Result<std::vector<ColdCall>> DependencyTable::CallsOfPartition(const ViewSource& views,
                                                                TenantId tenant, uint64_t partition,
                                                                QueryContext* context) {
  const MutexLock lock(mu_);
  const std::shared_ptr<const View> whole = views(tenant);
  const CountedView counted(*whole);
  const View& view = *counted;
  DependencyMemo& memo = tenants_[tenant].memo;
  std::vector<CallUnit> units;
  LARDER_RETURN_IF_ERROR(memo.Follow(view, tenant, context, &units));
  CountMemory();
  std::vector<ColdCall> calls;
  const CallTable* const table = memo.TableOf(partition);
  if (table == nullptr) return calls;
  for (const MinuteCalls& it : table->calls()) {
    calls.push_back(
        {it.minute, memo.pairs()->parent(it.call), memo.pairs()->child(it.call), it.count});
  }
  return calls;
}

// Heads that did not grow need not be read again.
Status DependencyTable::ReadHeads(const View& view, TenantId tenant,
                                  const std::vector<CallUnit>& units, QueryContext* context,
                                  Tenant* known) {
  std::vector<std::pair<uint64_t, uint64_t>> state = {{known->memo.version(), 0}};
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant != tenant || entry.segment != nullptr) continue;
    state.emplace_back(entry.id, entry.source->row_count());
  }
  if (state == known->head_state) return Status::Ok();
  const uint64_t failed_reads = context->failed_reads();
  known->head_state.clear();
  known->head_calls.clear();
  LARDER_RETURN_IF_ERROR(FindHeadCalls(view, tenant, units, known->memo.filters(),
                                       known->memo.pairs(), context, &known->head_calls));
  // With a gap the next query looks again, and finds the gap again.
  if (context->failed_reads() == failed_reads) known->head_state = std::move(state);
  return Status::Ok();
}

void DependencyTable::CountMemory() {
  uint64_t bytes = 0;
  for (const auto& [tenant, known] : tenants_) {
    bytes += known.memo.memory_bytes() + known.head_calls.capacity() * sizeof(HeadCall);
  }
  memory_bytes_.store(bytes, std::memory_order_relaxed);
}

}  // namespace larder
