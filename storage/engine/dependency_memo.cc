#include "storage/engine/dependency_memo.h"

#include <algorithm>
#include <utility>

namespace larder {

Status DependencyMemo::Follow(const View& view, TenantId tenant, QueryContext* context) {
  Forget(view, tenant);
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant != tenant || entry.segment == nullptr) continue;
    if (!segments_.contains(entry.id)) LARDER_RETURN_IF_ERROR(Learn(entry, context));
  }
  return Settle(view, tenant, context);
}

const SegmentCalls* DependencyMemo::Find(uint64_t segment_id) const {
  const auto found = segments_.find(segment_id);
  return found == segments_.end() ? nullptr : &found->second;
}

uint64_t DependencyMemo::memory_bytes() const {
  uint64_t bytes = pairs_.memory_bytes();
  for (const auto& [id, calls] : segments_) {
    bytes += sizeof(calls) + calls.minutes.capacity() * sizeof(SegmentCalls::Minute) +
             calls.totals.capacity() * sizeof(CallCount);
  }
  for (const auto& [id, trace] : open_traces_) {
    bytes += sizeof(id) + sizeof(trace) + 32 + trace.segments.capacity() * sizeof(uint64_t) +
             trace.corrections.capacity() * sizeof(CallCorrection);
  }
  return bytes + unsettled_.size() * (sizeof(TraceId) + 32);
}

// Segments that are gone take their calls with them; their open traces are looked at again.
void DependencyMemo::Forget(const View& view, TenantId tenant) {
  std::unordered_set<uint64_t> kept;
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant == tenant && entry.segment != nullptr) kept.insert(entry.id);
  }
  const size_t forgotten =
      std::erase_if(segments_, [&](const auto& known) { return !kept.contains(known.first); });
  if (forgotten == 0) return;
  for (const auto& [id, trace] : open_traces_) {
    const bool lost_rows = std::any_of(trace.segments.begin(), trace.segments.end(),
                                       [&](uint64_t segment) { return !kept.contains(segment); });
    if (lost_rows) unsettled_.insert(id);
  }
}

Status DependencyMemo::Learn(const SourceEntry& entry, QueryContext* context) {
  LARDER_RETURN_IF_ERROR(context->Check());
  std::vector<EdgeCount> edges;
  std::vector<OpenChild> open_children;
  Status status = entry.segment->Edges(&edges);
  if (status.ok()) status = entry.segment->OpenChildren(&open_children);
  LARDER_ASSIGN_OR_RETURN(const bool read, context->Read(entry.name, status));
  if (!read) return Status::Ok();

  // Traces with an open child elsewhere may have their missing span here.
  std::vector<uint32_t> rows;
  for (const auto& [id, trace] : open_traces_) {
    LARDER_RETURN_IF_ERROR(context->Check());
    rows.clear();
    const Status found = entry.source->FindTrace(id, &rows);
    LARDER_ASSIGN_OR_RETURN(const bool looked, context->Read(entry.name, found));
    if (looked && !rows.empty()) unsettled_.insert(id);
  }
  for (const OpenChild& child : open_children) unsettled_.insert(child.trace_id);

  SegmentCalls calls;
  std::unordered_map<CallId, uint64_t> totals;
  for (const EdgeCount& edge : edges) {
    if (edge.parent.empty() || edge.child.empty()) continue;
    const CallId call = pairs_.IdOf(edge.parent, edge.child);
    calls.minutes.push_back({edge.minute, {call, edge.count}});
    totals[call] += edge.count;
  }
  for (const auto& [call, count] : totals) calls.totals.push_back({call, count});
  segments_.emplace(entry.id, std::move(calls));
  return Status::Ok();
}

Status DependencyMemo::Settle(const View& view, TenantId tenant, QueryContext* context) {
  TraceLocator locator(view, tenant, context);
  std::vector<TracePlace> places;
  while (!unsettled_.empty()) {
    const TraceId id = *unsettled_.begin();
    const uint64_t failed_reads = context->failed_reads();
    LARDER_RETURN_IF_ERROR(locator.Locate(id, &places));
    std::erase_if(places, [&](const TracePlace& place) {
      return view.entries[place.entry].segment == nullptr;
    });
    OpenTrace trace;
    for (const TracePlace& place : places) trace.segments.push_back(view.entries[place.entry].id);
    LARDER_ASSIGN_OR_RETURN(const bool is_open, Correct(view, places, context, &trace.corrections));
    // What a gap spoils is kept as far as it goes, and stays open, so that it is looked at again
    // with the next segment.
    const bool has_gap = context->failed_reads() != failed_reads;
    if (is_open || has_gap) {
      open_traces_.insert_or_assign(id, std::move(trace));
    } else {
      open_traces_.erase(id);
    }
    unsettled_.erase(id);
  }
  return Status::Ok();
}

Result<bool> DependencyMemo::Correct(const View& view, const std::vector<TracePlace>& places,
                                     QueryContext* context,
                                     std::vector<CallCorrection>* corrections) {
  std::vector<TraceEdge> edges;
  std::vector<TraceOpenChild> open_children;
  for (const TracePlace& place : places) {
    const bool is_head = view.entries[place.entry].segment == nullptr;
    if (is_head) continue;
    LARDER_RETURN_IF_ERROR(FindTraceEdges(view, {place}, context, &edges, &open_children));
  }
  const bool is_open = !open_children.empty();
  const bool is_one_segment =
      places.size() == 1 && view.entries[places[0].entry].segment != nullptr;
  if (is_one_segment) return is_open;
  Append(edges, -1, corrections);
  edges.clear();
  LARDER_RETURN_IF_ERROR(FindTraceEdges(view, places, context, &edges, &open_children));
  Append(edges, +1, corrections);
  return is_open;
}

void DependencyMemo::Append(const std::vector<TraceEdge>& edges, int32_t delta,
                            std::vector<CallCorrection>* corrections) {
  for (const TraceEdge& edge : edges) {
    const CallId call = pairs_.IdOf(edge.parent, edge.child);
    const auto opposite =
        std::find_if(corrections->begin(), corrections->end(), [&](const CallCorrection& known) {
          return known.call == call && known.child_start_ns == edge.child_start_ns &&
                 known.delta == -delta;
        });
    if (opposite == corrections->end()) {
      corrections->push_back({edge.child_start_ns, call, delta});
    } else {
      corrections->erase(opposite);
    }
  }
}

}  // namespace larder
