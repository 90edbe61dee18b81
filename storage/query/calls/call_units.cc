#include "storage/query/calls/call_units.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace larder {
namespace {

// The entries of an index's segments; empty when the View lacks one of them.
std::vector<uint32_t> EntriesOf(const PartitionIndex& index,
                                const std::unordered_map<uint64_t, uint32_t>& entry_of_segment) {
  std::vector<uint32_t> entries;
  for (const uint64_t id : index.info().segment_ids) {
    const auto entry = entry_of_segment.find(id);
    if (entry == entry_of_segment.end()) return {};
    entries.push_back(entry->second);
  }
  return entries;
}

}  // namespace

std::string CallUnit::Name(const View& view) const {
  if (index == nullptr) return view.entries[entries[0]].name;
  return "partition " + std::to_string(view.entries[entries[0]].partition) + " index " +
         std::to_string(id);
}

std::vector<CallUnit> MakeCallUnits(const View& view, TenantId tenant,
                                    const std::unordered_set<uint64_t>& broken) {
  std::unordered_map<uint64_t, uint32_t> alone;  // entry of each segment that has no unit yet
  for (uint32_t i = 0; i < view.entries.size(); ++i) {
    const SourceEntry& entry = view.entries[i];
    if (entry.tenant == tenant && entry.segment != nullptr) alone.emplace(entry.id, i);
  }
  std::vector<CallUnit> units;
  for (const auto& index : view.indexes) {
    if (index->info().tenant != tenant || broken.contains(index->info().index_id)) continue;
    std::vector<uint32_t> entries = EntriesOf(*index, alone);
    if (entries.empty()) continue;
    for (const uint32_t entry : entries) alone.erase(view.entries[entry].id);
    units.push_back({index->info().index_id, index, std::move(entries)});
  }
  for (const auto& [id, entry] : alone) units.push_back({id, nullptr, {entry}});
  std::sort(units.begin(), units.end(), [](const CallUnit& a, const CallUnit& b) {
    return a.entries.front() < b.entries.front();
  });
  return units;
}

Status ReadEdges(const View& view, const CallUnit& unit, std::vector<EdgeCount>* edges) {
  if (unit.index != nullptr) return unit.index->Edges(edges);
  return view.entries[unit.entries[0]].segment->Edges(edges);
}

Status VisitOpenChildren(const View& view, const CallUnit& unit,
                         const std::function<Status(const OpenChild&)>& visit) {
  std::vector<OpenChild> children;
  std::vector<bool> is_open;
  for (uint32_t i = 0; i < unit.entries.size(); ++i) {
    children.clear();
    LARDER_RETURN_IF_ERROR(view.entries[unit.entries[i]].segment->OpenChildren(&children));
    if (unit.index != nullptr) LARDER_RETURN_IF_ERROR(unit.index->OpenChildren(i, &is_open));
    for (size_t child = 0; child < children.size(); ++child) {
      const bool closed = unit.index != nullptr && (child >= is_open.size() || !is_open[child]);
      if (!closed) LARDER_RETURN_IF_ERROR(visit(children[child]));
    }
  }
  return Status::Ok();
}

Status LocateInUnit(const View& view, const CallUnit& unit, const TraceId& trace_id,
                    std::vector<TracePlace>* places) {
  std::vector<uint32_t> segments = {0};
  if (unit.index != nullptr) {
    segments.clear();
    LARDER_RETURN_IF_ERROR(unit.index->FindTrace(trace_id, &segments));
  }
  for (const uint32_t segment : segments) {
    TracePlace place{unit.entries[segment], {}};
    LARDER_RETURN_IF_ERROR(view.entries[place.entry].source->FindTrace(trace_id, &place.rows));
    if (!place.rows.empty()) places->push_back(std::move(place));
  }
  return Status::Ok();
}

}  // namespace larder
