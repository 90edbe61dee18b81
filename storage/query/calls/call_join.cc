#include "storage/query/calls/call_join.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;
constexpr uint64_t kTracesPerSlice = 1 << 18;

}  // namespace

CallJoin::CallJoin(const View& view, CallJoinParts parts, TraceFilters* filters,
                   ServicePairs* pairs, QueryContext* context)
    : view_(view),
      added_(std::move(parts.added)),
      filters_(filters),
      pairs_(pairs),
      context_(context),
      group_of_entry_(view.entries.size(), kNone),
      gatherer_(view, std::move(parts.counted), parts.is_counted, *filters, context) {
  for (size_t i = 0; i < parts.is_counted.size(); ++i) {
    if (parts.is_counted[i]) group_of_entry_[i] = 0;
  }
  for (size_t i = 0; i < added_.size(); ++i) {
    for (const uint32_t entry : added_[i].entries) {
      group_of_entry_[entry] = static_cast<Group>(i + 1);
    }
  }
}

Status CallJoin::Run(PartitionChanges* changes) {
  changes_ = changes;
  uint64_t traces = 0;
  for (const CallUnit& unit : added_) {
    for (const uint32_t entry : unit.entries) {
      traces += view_.entries[entry].segment->info().trace_count;
    }
  }
  int slice_bits = 0;
  while (traces >> slice_bits > kTracesPerSlice) ++slice_bits;
  for (uint64_t slice = 0; slice < uint64_t{1} << slice_bits; ++slice) {
    LARDER_RETURN_IF_ERROR(RunSlice(slice, slice_bits));
  }
  for (const uint64_t id : unread_) filters_->erase(id);  // it would deny what it has
  return Status::Ok();
}

// One range of hashes, so that the traces held at a time are bounded.
Status CallJoin::RunSlice(uint64_t slice, int slice_bits) {
  const auto is_of_slice = [&](uint64_t hash) {
    return slice_bits == 0 || hash >> (64 - slice_bits) == slice;
  };
  MemoryCharge memory(context_);
  std::vector<TraceRun> runs;
  for (const CallUnit& unit : added_) {
    for (const uint32_t entry : unit.entries) {
      const size_t first = runs.size();
      const Status collected = CollectTraceRuns(view_, entry, is_of_slice, context_, &runs);
      LARDER_ASSIGN_OR_RETURN(const bool read,
                              context_->Read(view_.entries[entry].name, collected));
      if (read && unit.index == nullptr) Remember(entry, std::span(runs).subspan(first));
      if (!read) unread_.insert(view_.entries[entry].id);
      LARDER_RETURN_IF_ERROR(memory.Resize(runs.capacity() * sizeof(TraceRun)));
    }
  }
  LARDER_RETURN_IF_ERROR(memory.Resize(0));  // the gatherer's from here on
  return gatherer_.Gather(
      std::move(runs), [this](std::span<const TraceRun> trace) { return IsSplit(trace); },
      [this](std::span<const RunSpan> spans) { return JoinTrace(spans); });
}

void CallJoin::Remember(uint32_t entry, std::span<const TraceRun> runs) {
  const SourceEntry& segment = view_.entries[entry];
  TraceFilter& filter =
      filters_->try_emplace(segment.id, segment.segment->info().trace_count).first->second;
  for (const TraceRun& run : runs) filter.Add(run.hash);
}

bool CallJoin::IsSplit(std::span<const TraceRun> runs) const {
  return std::any_of(runs.begin(), runs.end(), [&](const TraceRun& run) {
    return group_of_entry_[run.entry] != group_of_entry_[runs[0].entry];
  });
}

Status CallJoin::JoinTrace(std::span<const RunSpan> spans) {
  const auto has_same_id = [](const RunSpan& a, const RunSpan& b) {
    return a.span.ref.span_id == b.span.ref.span_id;
  };
  if (std::adjacent_find(spans.begin(), spans.end(), has_same_id) != spans.end()) {
    return JoinClashingTrace(spans);
  }
  JoinPlainTrace(spans);
  return Status::Ok();
}

// Where every span has its own id, the units are right as far as they go, and only calls between
// them are missing. The older partition is charged: without it the call is none.
void CallJoin::JoinPlainTrace(std::span<const RunSpan> spans) {
  for (const RunSpan& run_span : spans) {
    const TraceSpan& child = run_span.span;
    if (child.parent.is_zero() || child.service.empty()) continue;
    const auto parent = std::lower_bound(
        spans.begin(), spans.end(), child.parent,
        [](const RunSpan& a, const SpanId& id) { return a.span.ref.span_id < id; });
    if (parent == spans.end() || parent->span.ref.span_id != child.parent) continue;
    const uint32_t parent_entry = parent->span.ref.place;
    if (group_of_entry_[parent_entry] == group_of_entry_[child.ref.place]) continue;
    const std::string_view from = parent->span.service;
    if (from.empty() || from == child.service) continue;
    Add(std::min(PartitionOf(parent_entry), PartitionOf(child.ref.place)),
        {from, child.service, child.start_ns}, 1);
  }
}

// Counts the trace anew, and takes away what was counted and what the units added count.
Status CallJoin::JoinClashingTrace(std::span<const RunSpan> spans) {
  std::vector<TraceSpan> all;
  std::map<Group, std::vector<TraceSpan>> by_group;
  for (const RunSpan& span : spans) {
    all.push_back(span.span);
    by_group[group_of_entry_[span.span.ref.place]].push_back(span.span);
  }
  LARDER_RETURN_IF_ERROR(Charge(all, 1));
  for (const auto& [group, of_group] : by_group) {
    LARDER_RETURN_IF_ERROR(Charge(of_group, -1));
  }
  return Status::Ok();
}

Status CallJoin::Charge(const std::vector<TraceSpan>& spans, int64_t sign) {
  std::set<uint64_t> partitions;
  for (const TraceSpan& span : spans) partitions.insert(PartitionOf(span.ref.place));
  std::vector<TraceSpan> suffix;
  std::vector<TraceEdge> calls;
  for (auto partition = partitions.rbegin(); partition != partitions.rend(); ++partition) {
    for (const TraceEdge& call : calls) Add(*partition, call, -sign);
    std::copy_if(spans.begin(), spans.end(), std::back_inserter(suffix),
                 [&](const TraceSpan& span) { return PartitionOf(span.ref.place) == *partition; });
    calls.clear();
    LARDER_RETURN_IF_ERROR(Calls(suffix, &calls));
    for (const TraceEdge& call : calls) Add(*partition, call, sign);
  }
  return Status::Ok();
}

Status CallJoin::Calls(std::vector<TraceSpan> spans, std::vector<TraceEdge>* calls) {
  return JoinTraceSpans(view_, gatherer_.places(), context_, &spans, calls);
}

void CallJoin::Add(uint64_t partition, const TraceEdge& call, int64_t count) {
  (*changes_)[partition].Add(call.child_start_ns / kMinuteNs, pairs_->IdOf(call.parent, call.child),
                             count);
}

}  // namespace larder
