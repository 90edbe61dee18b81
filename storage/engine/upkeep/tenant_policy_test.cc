#include "storage/engine/upkeep/tenant_policy.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr uint64_t kMs = 1'000'000;

StoredSegment MakeSegment(uint64_t id, TenantId tenant, uint64_t bytes) {
  StoredSegment segment;
  segment.entry.id = id;
  segment.entry.tenant = tenant;
  segment.info.identity.arrival_max_ns = id;
  segment.file_bytes = bytes;
  return segment;
}

PartitionStatus Partition(uint64_t id, PartitionState state, std::vector<StoredSegment> segments) {
  PartitionStatus partition;
  partition.record.id = id;
  partition.record.state = state;
  partition.record.closed_age_ns = state == PartitionState::kOpen ? 0 : id;
  partition.segments = std::move(segments);
  return partition;
}

std::vector<uint64_t> Ids(const std::vector<SegmentPick>& picks) {
  std::vector<uint64_t> ids;
  for (const SegmentPick& pick : picks) {
    ids.insert(ids.end(), pick.segment_ids.begin(), pick.segment_ids.end());
  }
  return ids;
}

TEST(TenantPolicy, AShorterRetentionTakesATenantOutOfClosedPartitions) {
  const auto limits = [](TenantId tenant) {
    return TenantLimits{.retention_ms = tenant == 2 ? 5u : 0u};
  };
  const std::vector<PartitionStatus> partitions = {
      Partition(1, PartitionState::kClosed, {MakeSegment(1, 1, 10), MakeSegment(2, 2, 10)}),
      Partition(2, PartitionState::kOpen, {MakeSegment(3, 2, 10)})};
  EXPECT_TRUE(PickForTenant(partitions, 5 * kMs, 100 * kMs, limits, {}).empty());
  const auto picks = PickForTenant(partitions, 5 * kMs + 1, 100 * kMs, limits, {});
  ASSERT_EQ(picks.size(), 1u);
  EXPECT_EQ(picks[0].partition, 1u);
  EXPECT_EQ(picks[0].tenant, 2u);
  EXPECT_EQ(picks[0].segment_ids, (std::vector<uint64_t>{2}));
}

TEST(TenantPolicy, OnlyATenantsOwnRetentionTakesItOutOfWhatMayBeEvicted) {
  const auto limits = [](TenantId tenant) {
    return TenantLimits{.retention_ms = tenant == 2 ? 7u : 0u};
  };
  const std::vector<PartitionStatus> partitions = {
      Partition(1, PartitionState::kUploaded, {MakeSegment(1, 1, 10), MakeSegment(2, 2, 10)})};
  EXPECT_EQ(Ids(PickForTenant(partitions, 6 * kMs, 5 * kMs, limits, {})),
            (std::vector<uint64_t>{1}));
  EXPECT_TRUE(PickForTenant(partitions, 6 * kMs, 5 * kMs, limits, {}, true).empty());
  EXPECT_EQ(Ids(PickForTenant(partitions, 8 * kMs, 5 * kMs, limits, {}, true)),
            (std::vector<uint64_t>{2}));
}

TEST(TenantPolicy, AboveTheQuotaTheOldestGoAndTheNewestStays) {
  uint64_t quota = 25;
  const auto limits = [&quota](TenantId tenant) {
    return TenantLimits{.disk_bytes_max = tenant == 2 ? quota : 0};
  };
  std::vector<PartitionStatus> partitions = {
      Partition(1, PartitionState::kClosed, {MakeSegment(1, 1, 500), MakeSegment(2, 2, 10)}),
      Partition(2, PartitionState::kOpen, {MakeSegment(3, 2, 10), MakeSegment(4, 2, 10)})};
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100 * kMs, limits, {})), (std::vector<uint64_t>{2}));
  quota = 15;
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100 * kMs, limits, {})),
            (std::vector<uint64_t>{2, 3}));
  quota = 1;
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100 * kMs, limits, {})),
            (std::vector<uint64_t>{2, 3}));
  quota = 30;
  EXPECT_TRUE(PickForTenant(partitions, 9, 100 * kMs, limits, {}).empty());
  partitions[0].index_bytes[2] = 1;
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100 * kMs, limits, {})), (std::vector<uint64_t>{2}));
}

TEST(TenantPolicy, WhatKeepsAJournalFromReplayStays) {
  const auto limits = [](TenantId) { return TenantLimits{.disk_bytes_max = 5}; };
  std::vector<PartitionStatus> partitions = {
      Partition(1, PartitionState::kOpen,
                {MakeSegment(1, 2, 10), MakeSegment(2, 2, 10), MakeSegment(3, 2, 10)})};
  partitions[0].segments[0].info.identity.generations = {77};
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100, limits, {77})), (std::vector<uint64_t>{2}));
  EXPECT_EQ(Ids(PickForTenant(partitions, 9, 100, limits, {78})), (std::vector<uint64_t>{1, 2}));
}

TEST(TenantPolicy, TheArchiveIsLeftAlone) {
  const auto limits = [](TenantId) { return TenantLimits{.retention_ms = 1, .disk_bytes_max = 5}; };
  PartitionStatus archive =
      Partition(1, PartitionState::kOpen,
                {MakeSegment(1, ArchiveOf(2), 10), MakeSegment(2, ArchiveOf(2), 10)});
  archive.record.is_archive = true;
  EXPECT_TRUE(PickForTenant({archive}, 1000 * kMs, 1, limits, {}).empty());
}

}  // namespace
}  // namespace larder
