#include "storage/engine/upkeep/cold_policy.h"

#include <algorithm>
#include <set>

namespace larder {
namespace {

bool IsOlder(const PartitionRecord& record, uint64_t age_ns, uint64_t than_ns) {
  return age_ns >= record.closed_age_ns && age_ns - record.closed_age_ns >= than_ns;
}

bool HasBroken(const PartitionStatus& partition) {
  return std::any_of(partition.segments.begin(), partition.segments.end(),
                     [](const StoredSegment& segment) { return segment.is_broken; });
}

}  // namespace

std::optional<PartitionStatus> PickUpload(const std::vector<PartitionStatus>& partitions,
                                          uint64_t age_ns, uint64_t after_ns) {
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    const bool is_on_its_way =
        record.state == PartitionState::kClosed || record.state == PartitionState::kUploading;
    if (!is_on_its_way || record.is_archive || partition.segments.empty()) continue;
    if (!IsOlder(record, age_ns, after_ns)) continue;
    if (!HasBroken(partition)) return partition;
  }
  return std::nullopt;
}

bool MayBeEvicted(const PartitionStatus& partition) {
  const PartitionRecord& record = partition.record;
  if (record.state != PartitionState::kUploaded || record.keeps_rows) return false;
  // Of a segment that cannot be opened nobody knows any more which traces it has.
  return !partition.segments.empty() && !HasBroken(partition);
}

std::optional<uint64_t> PickEvict(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                  uint64_t evict_after_ns) {
  for (const PartitionStatus& partition : partitions) {
    if (!MayBeEvicted(partition)) continue;
    if (IsOlder(partition.record, age_ns, evict_after_ns)) return partition.record.id;
  }
  return std::nullopt;
}

std::optional<uint64_t> PickEvictExpired(const std::vector<PartitionStatus>& partitions,
                                         uint64_t age_ns, uint64_t retention_ns,
                                         const LimitsOf& limits) {
  for (const PartitionStatus& partition : partitions) {
    if (!MayBeEvicted(partition)) continue;
    const uint64_t kept_ns = PartitionRetentionNs(partition, retention_ns, limits);
    if (IsOlder(partition.record, age_ns, kept_ns)) return partition.record.id;
  }
  return std::nullopt;
}

bool MayDropCopy(const PartitionStatus& partition) {
  if (!partition.record.is_fetched()) return false;
  std::set<TenantId> cold;
  for (const ColdStatus& it : partition.cold) cold.insert(it.tenant);
  return std::all_of(
      partition.segments.begin(), partition.segments.end(),
      [&cold](const StoredSegment& segment) { return cold.contains(segment.entry.tenant); });
}

std::optional<uint64_t> PickCopy(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                 std::string_view tier) {
  const PartitionRecord* soonest = nullptr;
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    const bool is_elsewhere = !tier.empty() && !record.tier.empty() && record.tier != tier;
    if (is_elsewhere || !MayDropCopy(partition) || record.fetched_until_age_ns > age_ns) continue;
    const bool is_soonest =
        soonest == nullptr || record.fetched_until_age_ns < soonest->fetched_until_age_ns;
    if (is_soonest) soonest = &record;
  }
  if (soonest == nullptr) return std::nullopt;
  return soonest->id;
}

std::optional<ColdPick> PickForgotten(const std::vector<PartitionStatus>& partitions,
                                      uint64_t age_ns, uint64_t retention_ns,
                                      const LimitsOf& limits) {
  constexpr uint64_t kNanosPerMs = 1'000'000;
  for (const PartitionStatus& partition : partitions) {
    if (partition.record.state != PartitionState::kEvicted) continue;
    for (const ColdStatus& cold : partition.cold) {
      const uint64_t own_ms = limits(cold.tenant).retention_ms;
      const uint64_t kept_ns = own_ms != 0 ? own_ms * kNanosPerMs : retention_ns;
      if (IsOlder(partition.record, age_ns, kept_ns)) {
        return ColdPick{partition.record.id, cold.tenant};
      }
    }
  }
  return std::nullopt;
}

}  // namespace larder
