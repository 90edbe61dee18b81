#include "storage/engine/upkeep/partition_policy.h"

#include <algorithm>
#include <bit>
#include <map>

#include "storage/engine/upkeep/cold_policy.h"

namespace larder {
namespace {

bool IsSmall(const StoredSegment& segment) {
  return !segment.is_broken && !segment.is_apart && segment.info.row_count < kSmallSegmentRowsMax;
}

// The power of sixteen of its row count.
uint32_t TierOf(const StoredSegment& segment) {
  return (static_cast<uint32_t>(std::bit_width(segment.info.row_count | 1u)) - 1) / 4;
}

bool IsOpen(const PartitionStatus& partition) {
  return partition.record.state == PartitionState::kOpen;
}

using Segments = std::vector<const StoredSegment*>;
using ByTenant = std::map<TenantId, Segments>;

// The segments that `wanted` accepts, by arrival.
template <typename Wanted>
ByTenant SegmentsByTenant(const PartitionStatus& partition, const Wanted& wanted) {
  ByTenant by_tenant;
  for (const StoredSegment& segment : partition.segments) {
    if (wanted(segment)) by_tenant[segment.entry.tenant].push_back(&segment);
  }
  for (auto& [tenant, segments] : by_tenant) {
    std::sort(segments.begin(), segments.end(), [](const StoredSegment* a, const StoredSegment* b) {
      const uint64_t a_ns = a->info.identity.arrival_min_ns;
      const uint64_t b_ns = b->info.identity.arrival_min_ns;
      return a_ns != b_ns ? a_ns < b_ns : a->entry.id < b->entry.id;
    });
  }
  return by_tenant;
}

// As many of `small` as one merge takes.
SegmentPick TakeSome(const Segments& small) {
  SegmentPick pick;
  uint64_t rows = 0;
  for (const StoredSegment* segment : small) {
    rows += segment->info.row_count;
    if (rows > kMergeRowsMax) break;
    pick.segment_ids.push_back(segment->entry.id);
    pick.bytes += segment->file_bytes;
  }
  return pick;
}

// Those of the smallest tier that is full; none when no tier is. Many rows in all are reason enough
// to take them as they come.
Segments FullTier(const Segments& small) {
  std::map<uint32_t, Segments> tiers;
  uint64_t rows = 0;
  for (const StoredSegment* segment : small) {
    tiers[TierOf(*segment)].push_back(segment);
    rows += segment->info.row_count;
  }
  if (rows > kMergeRowsMax) return small;
  for (const auto& [tier, segments] : tiers) {
    if (segments.size() >= kMergeSegmentsMin) return segments;
  }
  return {};
}

}  // namespace

std::optional<SegmentPick> PickMerge(const std::vector<PartitionStatus>& partitions) {
  for (const PartitionStatus& partition : partitions) {
    if (!IsOpen(partition)) continue;
    const bool is_last_chance = partition.full && partition.generations == 0;
    for (const auto& [tenant, segments] : SegmentsByTenant(partition, IsSmall)) {
      SegmentPick pick = TakeSome(is_last_chance ? segments : FullTier(segments));
      if (pick.segment_ids.size() < 2) continue;
      pick.partition = partition.record.id;
      pick.tenant = tenant;
      return pick;
    }
  }
  return std::nullopt;
}

std::optional<SegmentPick> PickIndex(const std::vector<PartitionStatus>& partitions) {
  for (const PartitionStatus& partition : partitions) {
    if (!IsOpen(partition) || partition.full) continue;
    const auto wanted = [&partition](const StoredSegment& segment) {
      return !segment.is_broken && !segment.is_apart && !IsSmall(segment) &&
             partition.indexed.count(segment.entry.id) == 0;
    };
    for (const auto& [tenant, segments] : SegmentsByTenant(partition, wanted)) {
      if (segments.size() < kIndexGroupSegments) continue;
      SegmentPick pick;
      pick.partition = partition.record.id;
      pick.tenant = tenant;
      for (size_t i = 0; i < kIndexGroupSegments; ++i) {
        pick.segment_ids.push_back(segments[i]->entry.id);
        pick.bytes += segments[i]->file_bytes;
      }
      return pick;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> PickClose(const std::vector<PartitionStatus>& partitions) {
  for (const PartitionStatus& partition : partitions) {
    if (IsOpen(partition) && partition.full && partition.generations == 0) {
      return partition.record.id;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> PickExpired(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                    uint64_t retention_ns, const LimitsOf& limits,
                                    bool spares_uploaded) {
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    if (record.state == PartitionState::kDropping) return record.id;
    if (IsOpen(partition)) continue;
    if (record.state == PartitionState::kEvicted && !partition.cold.empty()) continue;
    if (partition.segments.empty()) return record.id;  // its tenants' limits emptied it
    if (spares_uploaded && MayBeEvicted(partition)) continue;
    const uint64_t kept_ns = PartitionRetentionNs(partition, retention_ns, limits);
    if (age_ns > record.closed_age_ns && age_ns - record.closed_age_ns >= kept_ns) {
      return record.id;
    }
  }
  return std::nullopt;
}

std::optional<PartitionStatus> PickForSpace(const std::vector<PartitionStatus>& partitions,
                                            uint64_t used_bytes, uint64_t cap_bytes) {
  if (used_bytes <= cap_bytes) return std::nullopt;
  for (const PartitionStatus& partition : partitions) {
    if (partition.bytes > 0 && !partition.record.is_archive) return partition;
  }
  return std::nullopt;
}

}  // namespace larder
