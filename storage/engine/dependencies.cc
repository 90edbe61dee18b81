#include "storage/engine/dependencies.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/engine/trace_edges.h"
#include "storage/engine/trace_locator.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;

bool Includes(const TimeRange& outer, const TimeRange& inner) {
  return outer.min_ns <= inner.min_ns && inner.max_ns <= outer.max_ns;
}

TimeRange MinuteRange(uint64_t minute) {
  const uint64_t first_ns = minute * kMinuteNs;
  return {first_ns, first_ns + std::min(kMinuteNs - 1, UINT64_MAX - first_ns)};
}

// The ends of `range` that cover only a part of their minute: none, one or two ranges.
std::vector<TimeRange> BorderParts(const TimeRange& range) {
  const TimeRange first = MinuteRange(range.min_ns / kMinuteNs);
  const TimeRange last = MinuteRange(range.max_ns / kMinuteNs);
  std::vector<TimeRange> parts;
  if (!Includes(range, first))
    parts.push_back({range.min_ns, std::min(first.max_ns, range.max_ns)});
  if (last.min_ns != first.min_ns && !Includes(range, last)) {
    parts.push_back({last.min_ns, range.max_ns});
  }
  return parts;
}

// One answer being added up.
class DependencyCounter {
 public:
  DependencyCounter(const View& view, TenantId tenant, TimeRange range, DependencyMemo* memo,
                    QueryContext* context)
      : view_(view),
        tenant_(tenant),
        range_(range),
        memo_(memo),
        context_(context),
        memory_(context),
        locator_(view, tenant, context) {}

  Status AddSegment(const SourceEntry& entry, uint32_t number) {
    const SegmentCalls* calls = memo_->Find(entry.id);
    const TimeRange starts = entry.source->start_range();
    if (calls == nullptr || starts.max_ns < range_.min_ns || starts.min_ns > range_.max_ns) {
      return Status::Ok();
    }
    if (Includes(range_, starts)) {
      for (const CallCount& total : calls->totals) Add(total.call, total.count);
      return Status::Ok();
    }
    for (const SegmentCalls::Minute& minute : calls->minutes) {
      if (Includes(range_, MinuteRange(minute.minute))) Add(minute.calls.call, minute.calls.count);
    }
    for (const TimeRange& part : BorderParts(range_)) {
      LARDER_RETURN_IF_ERROR(AddRows(entry, number, part));
    }
    return Status::Ok();
  }

  // All heads together: a trace may have rows in several. What segments say of such a trace by
  // themselves is counted already; here comes the rest.
  Status AddHeads() {
    LARDER_RETURN_IF_ERROR(FindHeadTraces());
    std::vector<TracePlace> places;
    std::vector<TraceEdge> edges;
    std::vector<TraceOpenChild> open_children;
    for (const TraceId& id : head_traces_) {
      LARDER_RETURN_IF_ERROR(LocateInHeads(id, &places));
      edges.clear();
      open_children.clear();
      LARDER_RETURN_IF_ERROR(FindTraceEdges(view_, places, context_, &edges, &open_children));
      if (open_children.empty() && !memo_->open_traces().contains(id)) {
        AddEdges(edges, range_);
        continue;
      }
      LARDER_RETURN_IF_ERROR(locator_.Locate(id, &places));
      std::vector<CallCorrection> calls;
      LARDER_RETURN_IF_ERROR(memo_->Correct(view_, places, context_, &calls).status());
      AddCorrections(calls);
    }
    return Status::Ok();
  }

  // What open traces add to the sum of their segments, unless AddHeads has seen to it.
  void AddOpenTraces() {
    for (const auto& [id, trace] : memo_->open_traces()) {
      if (!head_traces_.contains(id)) AddCorrections(trace.corrections);
    }
  }

  void Finish(std::vector<Dependency>* dependencies) const {
    const ServicePairs& pairs = *memo_->pairs();
    for (const auto& [call, count] : counts_) {
      if (count <= 0) continue;  // less than none: a segment whose own calls could not be read
      dependencies->push_back(
          {pairs.parent(call), pairs.child(call), static_cast<uint64_t>(count)});
    }
    std::sort(dependencies->begin(), dependencies->end());
  }

 private:
  void Add(CallId call, uint64_t count) { counts_[call] += static_cast<int64_t>(count); }

  void AddEdges(const std::vector<TraceEdge>& edges, const TimeRange& range) {
    for (const TraceEdge& edge : edges) {
      if (range.contains(edge.child_start_ns))
        Add(memo_->pairs()->IdOf(edge.parent, edge.child), 1);
    }
  }

  void AddCorrections(const std::vector<CallCorrection>& corrections) {
    for (const CallCorrection& correction : corrections) {
      if (!range_.contains(correction.child_start_ns)) continue;
      counts_[correction.call] += correction.delta;
    }
  }

  // The calls within one segment whose child starts in `part`, from rows.
  Status AddRows(const SourceEntry& entry, uint32_t number, TimeRange part) {
    std::unordered_set<TraceId, TraceIdHasher> traces;
    LARDER_RETURN_IF_ERROR(FindTraces(entry, part, &traces));
    std::vector<TraceEdge> edges;
    std::vector<TraceOpenChild> open_children;
    for (const TraceId& id : traces) {
      TracePlace place{number, {}};
      LARDER_ASSIGN_OR_RETURN(const bool read,
                              context_->Read(entry.name, entry.source->FindTrace(id, &place.rows)));
      if (!read) continue;
      edges.clear();
      LARDER_RETURN_IF_ERROR(
          FindTraceEdges(view_, {std::move(place)}, context_, &edges, &open_children));
      AddEdges(edges, part);
    }
    return Status::Ok();
  }

  // The traces with a span of the source that starts in `part`.
  Status FindTraces(const SourceEntry& entry, TimeRange part,
                    std::unordered_set<TraceId, TraceIdHasher>* traces) {
    const FilterNode any;
    auto search = entry.source->Search(any, part);
    LARDER_ASSIGN_OR_RETURN(const bool opened, context_->Read(entry.name, search.status()));
    if (!opened) return Status::Ok();
    std::vector<SpanMatch> matches;
    for (const uint32_t block : search.value()->candidate_blocks()) {
      LARDER_RETURN_IF_ERROR(context_->Check());
      matches.clear();
      LARDER_RETURN_IF_ERROR(
          context_->Read(entry.name, search.value()->Match(block, &matches)).status());
      for (const SpanMatch& match : matches) traces->insert(match.trace_id);
    }
    return Status::Ok();
  }

  Status FindHeadTraces() {
    std::vector<TraceId> ids;
    for (const SourceEntry& entry : view_.entries) {
      if (entry.tenant != tenant_ || entry.segment != nullptr) continue;
      ids.clear();
      const Status status = entry.source->TraceIds(0, entry.source->row_count(), &ids);
      LARDER_RETURN_IF_ERROR(context_->Read(entry.name, status).status());
      head_traces_.insert(ids.begin(), ids.end());
      LARDER_RETURN_IF_ERROR(
          memory_.Resize(head_traces_.size() * (sizeof(TraceId) + 4 * sizeof(void*))));
    }
    return Status::Ok();
  }

  Status LocateInHeads(const TraceId& id, std::vector<TracePlace>* places) {
    LARDER_RETURN_IF_ERROR(context_->Check());
    places->clear();
    for (uint32_t i = 0; i < view_.entries.size(); ++i) {
      const SourceEntry& entry = view_.entries[i];
      if (entry.tenant != tenant_ || entry.segment != nullptr) continue;
      TracePlace place{i, {}};
      const Status status = entry.source->FindTrace(id, &place.rows);
      LARDER_RETURN_IF_ERROR(context_->Read(entry.name, status).status());
      if (!place.rows.empty()) places->push_back(std::move(place));
    }
    return Status::Ok();
  }

  const View& view_;
  const TenantId tenant_;
  const TimeRange range_;
  DependencyMemo* const memo_;
  QueryContext* const context_;
  MemoryCharge memory_;
  TraceLocator locator_;
  std::unordered_set<TraceId, TraceIdHasher> head_traces_;
  std::unordered_map<CallId, int64_t> counts_;
};

}  // namespace

Status DependencyTable::Count(const View& view, TenantId tenant, TimeRange child_start,
                              QueryContext* context, std::vector<Dependency>* dependencies) {
  if (child_start.min_ns > child_start.max_ns) return Status::Ok();
  const MutexLock lock(mu_);
  DependencyMemo& memo = memos_[tenant];
  LARDER_RETURN_IF_ERROR(memo.Follow(view, tenant, context));
  DependencyCounter counter(view, tenant, child_start, &memo, context);
  for (uint32_t i = 0; i < view.entries.size(); ++i) {
    const SourceEntry& entry = view.entries[i];
    if (entry.tenant != tenant || entry.segment == nullptr) continue;
    LARDER_RETURN_IF_ERROR(counter.AddSegment(entry, i));
  }
  LARDER_RETURN_IF_ERROR(counter.AddHeads());
  counter.AddOpenTraces();
  counter.Finish(dependencies);
  return Status::Ok();
}

uint64_t DependencyTable::memory_bytes() const {
  const MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [tenant, memo] : memos_) bytes += memo.memory_bytes();
  return bytes;
}

}  // namespace larder
