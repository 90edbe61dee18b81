#include "storage/engine/partition_policy.h"

#include <algorithm>
#include <map>

namespace larder {
namespace {

bool IsSmall(const StoredSegment& segment) {
  return !segment.is_broken && segment.info.identity.replaces.empty() &&
         segment.info.row_count < kSmallSegmentRowsMax;
}

bool IsOpen(const PartitionStatus& partition) {
  return partition.record.state == PartitionState::kOpen;
}

// As many of `small`, oldest first, as one merge takes.
MergePick TakeSome(std::vector<const StoredSegment*> small) {
  std::sort(small.begin(), small.end(), [](const StoredSegment* a, const StoredSegment* b) {
    const uint64_t a_ns = a->info.identity.arrival_min_ns;
    const uint64_t b_ns = b->info.identity.arrival_min_ns;
    return a_ns != b_ns ? a_ns < b_ns : a->entry.id < b->entry.id;
  });
  MergePick pick;
  uint64_t rows = 0;
  for (const StoredSegment* segment : small) {
    rows += segment->info.row_count;
    if (rows > kMergeRowsMax) break;
    pick.segment_ids.push_back(segment->entry.id);
    pick.bytes += segment->file_bytes;
  }
  return pick;
}

}  // namespace

std::optional<MergePick> PickMerge(const std::vector<PartitionStatus>& partitions) {
  for (const PartitionStatus& partition : partitions) {
    if (!IsOpen(partition)) continue;
    const bool is_last_chance = partition.full && partition.generations == 0;
    std::map<TenantId, std::vector<const StoredSegment*>> small;
    for (const StoredSegment& segment : partition.segments) {
      if (IsSmall(segment)) small[segment.entry.tenant].push_back(&segment);
    }
    for (const auto& [tenant, segments] : small) {
      uint64_t rows = 0;
      for (const StoredSegment* segment : segments) rows += segment->info.row_count;
      const bool enough = segments.size() >= kMergeSegmentsMin || rows > kMergeRowsMax;
      if (!enough && !is_last_chance) continue;
      MergePick pick = TakeSome(segments);
      if (pick.segment_ids.size() < 2) continue;
      pick.partition = partition.record.id;
      pick.tenant = tenant;
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
                                    uint64_t retention_ns) {
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    if (record.state == PartitionState::kDropping) return record.id;
    if (IsOpen(partition)) continue;
    if (age_ns > record.closed_age_ns && age_ns - record.closed_age_ns >= retention_ns) {
      return record.id;
    }
  }
  return std::nullopt;
}

std::optional<PartitionStatus> PickForSpace(const std::vector<PartitionStatus>& partitions,
                                            uint64_t used_bytes, uint64_t cap_bytes) {
  if (used_bytes <= cap_bytes) return std::nullopt;
  for (const PartitionStatus& partition : partitions) {
    if (partition.bytes > 0) return partition;
  }
  return std::nullopt;
}

}  // namespace larder
