#include "storage/engine/upkeep/partition_policy.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

StoredSegment MakeSegment(uint64_t id, uint32_t rows) {
  StoredSegment segment;
  segment.entry.id = id;
  segment.info.row_count = rows;
  segment.info.identity.arrival_min_ns = 1000 - id;  // later ids came in earlier
  segment.file_bytes = rows;
  return segment;
}

PartitionStatus Partition(uint64_t id, PartitionState state, bool full = true) {
  PartitionStatus partition;
  partition.record.id = id;
  partition.record.state = state;
  partition.full = full;
  return partition;
}

TenantLimits NoLimits(TenantId) { return {}; }

TEST(PartitionPolicy, SmallSegmentsWaitForCompany) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen, false);
  for (uint64_t id = 1; id < kMergeSegmentsMin; ++id) {
    partition.segments.push_back(MakeSegment(id, 10));
  }
  EXPECT_FALSE(PickMerge({partition}).has_value());
  partition.segments.push_back(MakeSegment(kMergeSegmentsMin, 10));
  const auto pick = PickMerge({partition});
  ASSERT_TRUE(pick.has_value());
  EXPECT_EQ(pick->segment_ids.size(), kMergeSegmentsMin);
  EXPECT_EQ(pick->segment_ids.front(), kMergeSegmentsMin);  // the oldest arrival first
  EXPECT_EQ(pick->bytes, 10 * kMergeSegmentsMin);
}

TEST(PartitionPolicy, TheLastChanceTakesAnyTwo) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen);
  partition.segments = {MakeSegment(1, 10), MakeSegment(2, kSmallSegmentRowsMax)};
  EXPECT_FALSE(PickMerge({partition}).has_value());
  partition.segments.push_back(MakeSegment(3, 10));
  EXPECT_EQ(PickMerge({partition})->segment_ids, (std::vector<uint64_t>{3, 1}));
  partition.generations = 1;
  EXPECT_FALSE(PickMerge({partition}).has_value());
}

TEST(PartitionPolicy, NothingBrokenIsMergedAndNothingTooLarge) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen);
  partition.segments = {MakeSegment(1, 10), MakeSegment(2, 10)};
  EXPECT_TRUE(PickMerge({partition}).has_value());
  partition.segments[0].is_broken = true;
  EXPECT_FALSE(PickMerge({partition}).has_value());
  partition.segments.clear();
  for (uint64_t id = 1; id <= 8; ++id) {
    partition.segments.push_back(MakeSegment(id, kSmallSegmentRowsMax - 1));
  }
  EXPECT_EQ(PickMerge({partition})->segment_ids.size(), 4u);
}

TEST(PartitionPolicy, OnlyLikeSizesAreMergedWhileOpen) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen, false);
  for (uint64_t id = 1; id < kMergeSegmentsMin; ++id) {
    partition.segments.push_back(MakeSegment(id, 16));
    partition.segments.push_back(MakeSegment(100 + id, 300));
  }
  EXPECT_FALSE(PickMerge({partition}).has_value());
  partition.segments.push_back(MakeSegment(200, 4095));
  ASSERT_TRUE(PickMerge({partition}).has_value());
  EXPECT_EQ(PickMerge({partition})->bytes, (kMergeSegmentsMin - 1) * 300 + 4095);
  // Whatever its size, a merger of sixteen is of a higher tier: merging comes to an end.
  for (uint32_t rows = 1; rows < kSmallSegmentRowsMax / 16; rows = rows * 3 + 1) {
    partition.segments = {MakeSegment(1, 16 * rows)};
    for (uint64_t id = 2; id <= kMergeSegmentsMin; ++id) {
      partition.segments.push_back(MakeSegment(id, rows));
    }
    EXPECT_FALSE(PickMerge({partition}).has_value()) << rows;
  }
}

TEST(PartitionPolicy, TenantsAreMergedApart) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen);
  partition.segments = {MakeSegment(1, 10), MakeSegment(2, 10)};
  partition.segments[1].entry.tenant = 5;
  EXPECT_FALSE(PickMerge({partition}).has_value());
}

TEST(PartitionPolicy, SegmentsThatStayAreIndexedInGroups) {
  PartitionStatus partition = Partition(1, PartitionState::kOpen, false);
  for (uint64_t id = 1; id <= kIndexGroupSegments; ++id) {
    partition.segments.push_back(MakeSegment(id, kSmallSegmentRowsMax));
  }
  ASSERT_TRUE(PickIndex({partition}).has_value());
  EXPECT_EQ(PickIndex({partition})->segment_ids.size(), kIndexGroupSegments);
  partition.indexed = {3};
  EXPECT_FALSE(PickIndex({partition}).has_value());
  partition.segments.push_back(MakeSegment(100, 10));  // it is to be merged first
  EXPECT_FALSE(PickIndex({partition}).has_value());
  partition.segments.push_back(MakeSegment(101, kSmallSegmentRowsMax));
  EXPECT_TRUE(PickIndex({partition}).has_value());
  partition.full = true;  // it gets one over all, soon
  EXPECT_FALSE(PickIndex({partition}).has_value());
}

TEST(PartitionPolicy, ClosesWhatIsFullAndQuiet) {
  PartitionStatus open = Partition(1, PartitionState::kOpen, false);
  PartitionStatus busy = Partition(2, PartitionState::kOpen);
  busy.generations = 1;
  EXPECT_FALSE(PickClose({open, busy, Partition(3, PartitionState::kClosed)}).has_value());
  EXPECT_EQ(PickClose({open, Partition(4, PartitionState::kOpen)}), 4u);
}

TEST(PartitionPolicy, ExpiresByAgeSinceClosing) {
  PartitionStatus closed = Partition(1, PartitionState::kClosed);
  closed.record.closed_age_ns = 100;
  closed.segments = {MakeSegment(1, 10)};
  EXPECT_FALSE(PickExpired({closed}, 149, 50, NoLimits).has_value());
  EXPECT_EQ(PickExpired({closed}, 150, 50, NoLimits), 1u);
  EXPECT_FALSE(PickExpired({closed}, 10, 0, NoLimits).has_value());
  EXPECT_FALSE(PickExpired({Partition(2, PartitionState::kOpen)}, 1000, 50, NoLimits).has_value());
  EXPECT_EQ(PickExpired({Partition(3, PartitionState::kDropping)}, 0, 50, NoLimits), 3u);
  EXPECT_EQ(PickExpired({Partition(4, PartitionState::kClosed)}, 0, 50, NoLimits), 4u);
}

TEST(PartitionPolicy, WhatMayBeEvictedIsSparedWhenAsked) {
  PartitionStatus uploaded = Partition(1, PartitionState::kUploaded);
  uploaded.segments = {MakeSegment(1, 10)};
  EXPECT_EQ(PickExpired({uploaded}, 1000, 50, NoLimits), 1u);
  EXPECT_FALSE(PickExpired({uploaded}, 1000, 50, NoLimits, true).has_value());
  uploaded.record.keeps_rows = true;
  EXPECT_EQ(PickExpired({uploaded}, 1000, 50, NoLimits, true), 1u);
}

TEST(PartitionPolicy, APartitionStaysForTheTenantThatKeepsLongest) {
  PartitionStatus closed = Partition(1, PartitionState::kClosed);
  closed.segments = {MakeSegment(1, 10), MakeSegment(2, 10)};
  closed.segments[1].entry.tenant = 5;
  const auto limits = [](TenantId tenant) {
    return TenantLimits{.retention_ms = tenant == 5 ? 2u : 0u};
  };
  EXPECT_FALSE(PickExpired({closed}, 1'999'999, 50, limits).has_value());
  EXPECT_EQ(PickExpired({closed}, 2'000'000, 50, limits), 1u);
  EXPECT_FALSE(PickExpired({closed}, 2'000'000, 3'000'000, limits).has_value());
}

TEST(PartitionPolicy, TheOldestGoesForSpace) {
  PartitionStatus empty = Partition(1, PartitionState::kOpen);
  PartitionStatus old = Partition(2, PartitionState::kClosed);
  old.bytes = 10;
  PartitionStatus young = Partition(3, PartitionState::kClosed);
  young.bytes = 10;
  EXPECT_FALSE(PickForSpace({empty, old, young}, 20, 20).has_value());
  EXPECT_EQ(PickForSpace({empty, old, young}, 21, 20)->record.id, 2u);
  old.record.is_archive = true;
  EXPECT_EQ(PickForSpace({empty, old, young}, 21, 20)->record.id, 3u);
}

}  // namespace
}  // namespace larder
