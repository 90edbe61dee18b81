#include "storage/query/calls/dependency_memo.h"

#include <algorithm>
#include <set>
#include <utility>

namespace larder {
namespace {

// Of one step: what is lost when it is cut short.
constexpr uint64_t kRowsPerStep = 1 << 24;

}  // namespace

Status DependencyMemo::Follow(const View& view, TenantId tenant, QueryContext* context,
                              std::vector<CallUnit>* units) {
  Forget(view, tenant);
  for (const Gap& gap : gaps_) context->Repeat(gap);
  if (!tables_.empty()) LARDER_RETURN_IF_ERROR(context->Read("memo", Status::Ok()).status());
  for (;;) {
    *units = MakeCallUnits(view, tenant, broken_);
    CallJoinParts parts = NextParts(view, *units);
    if (parts.added.empty()) {
      DropFilters(view, *units);
      return Status::Ok();
    }
    LARDER_RETURN_IF_ERROR(Count(view, std::move(parts), context));
  }
}

size_t DependencyMemo::UncountedSegments(const View& view, TenantId tenant) const {
  return static_cast<size_t>(
      std::count_if(view.entries.begin(), view.entries.end(), [&](const SourceEntry& entry) {
        return entry.tenant == tenant && entry.segment != nullptr && !counted_.contains(entry.id);
      }));
}

void DependencyMemo::AddTo(uint64_t first_minute, uint64_t last_minute, CallCounts* counts) const {
  for (const auto& [partition, table] : tables_) table.AddTo(first_minute, last_minute, counts);
}

const CallTable* DependencyMemo::TableOf(uint64_t partition) const {
  const auto found = tables_.find(partition);
  return found != tables_.end() ? &found->second : nullptr;
}

uint64_t DependencyMemo::memory_bytes() const {
  constexpr uint64_t kNodeBytes = 64;
  uint64_t bytes = pairs_.memory_bytes() + counted_.size() * kNodeBytes;
  for (const auto& [partition, table] : tables_) bytes += kNodeBytes + table.memory_bytes();
  for (const auto& [id, filter] : filters_) bytes += kNodeBytes + filter.memory_bytes();
  return bytes;
}

void DependencyMemo::Forget(const View& view, TenantId tenant) {
  Segments present;
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant == tenant && entry.segment != nullptr) present.emplace(entry.id, &entry);
  }
  if (TakeMerged(present) && DropGone(present)) return;
  counted_.clear();
  tables_.clear();
  broken_.clear();
  filters_.clear();
  gaps_.clear();
  ++version_;
}

// A merger has the spans of the segments that it replaced, repeats apart: nothing to count.
bool DependencyMemo::TakeMerged(const Segments& present) {
  for (const auto& [id, entry] : present) {
    const std::vector<uint64_t>& replaced = entry->segment->info().identity.replaces;
    if (replaced.empty() || counted_.contains(id)) continue;
    const auto known = std::count_if(replaced.begin(), replaced.end(),
                                     [this](uint64_t old) { return counted_.contains(old); });
    if (known == 0) continue;
    if (static_cast<size_t>(known) < replaced.size()) return false;
    for (const uint64_t old : replaced) counted_.erase(old);
    counted_.emplace(id, entry->partition);
  }
  return true;
}

// Only the sums from some partition on stand for themselves (call_join.h).
bool DependencyMemo::DropGone(const Segments& present) {
  uint64_t first_kept = UINT64_MAX;
  uint64_t last_gone = 0;
  bool is_gone = false;
  for (const auto& [id, partition] : counted_) {
    if (present.contains(id)) {
      first_kept = std::min(first_kept, partition);
    } else {
      last_gone = std::max(last_gone, partition);
      is_gone = true;
    }
  }
  if (!is_gone) return true;
  if (last_gone >= first_kept || !gaps_.empty()) return false;
  std::erase_if(counted_, [&](const auto& counted) { return !present.contains(counted.first); });
  std::erase_if(tables_, [&](const auto& table) { return table.first <= last_gone; });
  ++version_;
  return true;
}

void DependencyMemo::DropFilters(const View& view, const std::vector<CallUnit>& units) {
  std::unordered_set<uint64_t> kept;
  for (const CallUnit& unit : units) {
    if (unit.index == nullptr) kept.insert(view.entries[unit.entries[0]].id);
  }
  std::erase_if(filters_, [&](const auto& filter) { return !kept.contains(filter.first); });
}

CallJoinParts DependencyMemo::NextParts(const View& view,
                                        const std::vector<CallUnit>& units) const {
  CallJoinParts parts;
  parts.is_counted.resize(view.entries.size());
  uint64_t rows = 0;
  const auto is_counted = [&](uint32_t entry) { return counted_.contains(view.entries[entry].id); };
  const auto add = [&](const CallUnit& unit) {
    if (rows >= kRowsPerStep) return;
    for (const uint32_t entry : unit.entries) rows += view.entries[entry].source->row_count();
    parts.added.push_back(unit);
  };
  for (const CallUnit& unit : units) {
    const bool is_new = std::none_of(unit.entries.begin(), unit.entries.end(), is_counted);
    if (is_new) {
      add(unit);
      continue;
    }
    // An index over segments of which only some are counted says nothing of the others alone.
    parts.counted.push_back(unit);
    for (const uint32_t entry : unit.entries) {
      parts.is_counted[entry] = is_counted(entry);
      if (!is_counted(entry)) add({view.entries[entry].id, nullptr, {entry}});
    }
  }
  return parts;
}

Status DependencyMemo::Count(const View& view, CallJoinParts parts, QueryContext* context) {
  const size_t gap_count = context->gaps().size();
  const auto keep_gaps = [&] {
    gaps_.insert(gaps_.end(), context->gaps().begin() + static_cast<std::ptrdiff_t>(gap_count),
                 context->gaps().end());
  };
  PartitionChanges changes;
  std::vector<CallUnit> readable;
  for (const CallUnit& unit : parts.added) {
    LARDER_ASSIGN_OR_RETURN(const bool read, AddOwn(view, unit, context, &changes));
    if (read) readable.push_back(unit);
    if (read || unit.index == nullptr) continue;
    broken_.insert(unit.id);  // its segments are units now
    keep_gaps();
    return Status::Ok();
  }
  const std::vector<CallUnit> added = std::exchange(parts.added, std::move(readable));
  const Status joined = CallJoin(view, std::move(parts), &filters_, &pairs_, context).Run(&changes);
  if (!joined.ok()) {
    for (const CallUnit& unit : added) {  // half filled
      for (const uint32_t i : unit.entries) filters_.erase(view.entries[i].id);
    }
    return joined;
  }
  for (const auto& [partition, of_partition] : changes) tables_[partition].Apply(of_partition);
  for (const CallUnit& unit : added) {
    for (const uint32_t i : unit.entries) {
      counted_.emplace(view.entries[i].id, view.entries[i].partition);
    }
  }
  keep_gaps();
  ++version_;
  return Status::Ok();
}

Result<bool> DependencyMemo::AddOwn(const View& view, const CallUnit& unit, QueryContext* context,
                                    PartitionChanges* changes) {
  LARDER_RETURN_IF_ERROR(context->Check());
  std::vector<EdgeCount> edges;
  const Status status = ReadEdges(view, unit, &edges);
  LARDER_ASSIGN_OR_RETURN(const bool read, context->Read(unit.Name(view), status));
  if (!read) return false;
  CallChanges& of_partition = (*changes)[view.entries[unit.entries[0]].partition];
  for (const EdgeCount& edge : edges) {
    if (edge.parent.empty() || edge.child.empty()) continue;
    of_partition.Add(edge.minute, pairs_.IdOf(edge.parent, edge.child),
                     static_cast<int64_t>(edge.count));
  }
  return true;
}

}  // namespace larder
