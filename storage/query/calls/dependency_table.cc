#include "storage/query/calls/dependency_table.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/query/calls/trace_edges.h"
#include "storage/query/trace_locator.h"

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

  Status AddUnit(const CallUnit& unit) {
    const DependencyMemo::Unit* known = memo_->Find(unit.id);
    if (known == nullptr) return Status::Ok();
    for (const JoinedCall& joined : known->joined) {
      if (range_.contains(joined.child_start_ns)) Add(joined.call, 1);
    }
    const TimeRange starts = StartRange(unit);
    if (starts.max_ns < range_.min_ns || starts.min_ns > range_.max_ns) return Status::Ok();
    if (Includes(range_, starts)) {
      for (const CallCount& total : known->totals) Add(total.call, total.count);
      return Status::Ok();
    }
    for (const MinuteCalls& minute : known->minutes) {
      if (Includes(range_, MinuteRange(minute.minute))) Add(minute.calls.call, minute.calls.count);
    }
    for (const TimeRange& part : BorderParts(range_)) {
      LARDER_RETURN_IF_ERROR(AddRows(unit, part));
    }
    return Status::Ok();
  }

  // All heads together: a trace may have rows in several. What segments say of such a trace by
  // themselves is counted already; here comes the rest.
  Status AddHeads() {
    LARDER_RETURN_IF_ERROR(FindHeadTraces());
    for (const TraceId& id : head_traces_) LARDER_RETURN_IF_ERROR(AddHeadTrace(id));
    return Status::Ok();
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

  void SubtractEdges(const std::vector<TraceEdge>& edges) {
    for (const TraceEdge& edge : edges) {
      if (range_.contains(edge.child_start_ns)) {
        --counts_[memo_->pairs()->IdOf(edge.parent, edge.child)];
      }
    }
  }

  TimeRange StartRange(const CallUnit& unit) const {
    TimeRange range{UINT64_MAX, 0};
    for (const uint32_t entry : unit.entries) {
      const TimeRange starts = view_.entries[entry].source->start_range();
      range.min_ns = std::min(range.min_ns, starts.min_ns);
      range.max_ns = std::max(range.max_ns, starts.max_ns);
    }
    return range;
  }

  // The calls within one unit whose child starts in `part`, from rows.
  Status AddRows(const CallUnit& unit, TimeRange part) {
    std::unordered_set<TraceId, TraceIdHasher> traces;
    for (const uint32_t entry : unit.entries) {
      LARDER_RETURN_IF_ERROR(FindTraces(view_.entries[entry], part, &traces));
    }
    std::vector<TracePlace> places;
    std::vector<TraceEdge> edges;
    std::vector<TraceOpenChild> open_children;
    for (const TraceId& id : traces) {
      places.clear();
      const Status located = LocateInUnit(view_, unit, id, &places);
      LARDER_RETURN_IF_ERROR(context_->Read(unit.Name(view_), located).status());
      edges.clear();
      open_children.clear();
      LARDER_RETURN_IF_ERROR(FindTraceEdges(view_, places, context_, &edges, &open_children));
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

  Status AddHeadTrace(const TraceId& id) {
    std::vector<TracePlace> places;
    LARDER_RETURN_IF_ERROR(LocateInHeads(id, &places));
    std::vector<TraceSpan> spans;
    LARDER_RETURN_IF_ERROR(LoadTraceSpans(view_, places, context_, &spans));
    const bool is_wanted = std::any_of(spans.begin(), spans.end(), [&](const TraceSpan& span) {
      return memo_->wanted().MayHold(id, span.ref.span_id);
    });
    std::vector<TraceEdge> edges;
    std::vector<TraceOpenChild> open_children;
    LARDER_RETURN_IF_ERROR(JoinTraceSpans(view_, places, context_, &spans, &edges, &open_children));
    if (!is_wanted && open_children.empty()) {
      AddEdges(edges, range_);
      return Status::Ok();
    }
    LARDER_RETURN_IF_ERROR(locator_.Locate(id, &places));
    edges.clear();
    LARDER_RETURN_IF_ERROR(FindTraceEdges(view_, places, context_, &edges, &open_children));
    AddEdges(edges, range_);
    std::erase_if(places, [&](const TracePlace& place) {
      return view_.entries[place.entry].segment == nullptr;
    });
    edges.clear();
    LARDER_RETURN_IF_ERROR(FindTraceEdges(view_, places, context_, &edges, &open_children));
    SubtractEdges(edges);
    return Status::Ok();
  }

  Status LocateInHeads(const TraceId& id, std::vector<TracePlace>* places) {
    LARDER_RETURN_IF_ERROR(context_->Check());
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
  for (const CallUnit& unit : memo.units()) LARDER_RETURN_IF_ERROR(counter.AddUnit(unit));
  LARDER_RETURN_IF_ERROR(counter.AddHeads());
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
