#include "storage/query/index/call_units.h"

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

std::vector<bool> EntriesOf(const View& view, const std::vector<CallUnit>& units) {
  std::vector<bool> entries(view.entries.size());
  for (const CallUnit& unit : units) {
    for (const uint32_t entry : unit.entries) entries[entry] = true;
  }
  return entries;
}

Status ReadEdges(const View& view, const CallUnit& unit, std::vector<EdgeCount>* edges) {
  if (unit.index != nullptr) return unit.index->Edges(edges);
  return view.entries[unit.entries[0]].segment->Edges(edges);
}

}  // namespace larder
