#include "storage/engine/upkeep/cold_policy.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr uint64_t kHourNs = 3600ull * 1'000'000'000;

TenantLimits NoLimits(TenantId) { return {}; }

// Of one segment; closed at hour `id`.
PartitionStatus Partition(uint64_t id, PartitionState state) {
  PartitionStatus partition;
  partition.record.id = id;
  partition.record.state = state;
  partition.record.closed_age_ns = id * kHourNs;
  StoredSegment segment;
  segment.entry.id = 10 * id;
  if (state == PartitionState::kEvicted) {
    partition.cold = {{.tenant = 0}, {.tenant = 7}};
  } else {
    partition.segments = {segment};
  }
  return partition;
}

TEST(ColdPolicy, TheOldestThatIsDueIsUploadedFirst) {
  const std::vector<PartitionStatus> partitions = {
      Partition(1, PartitionState::kUploaded), Partition(2, PartitionState::kUploading),
      Partition(3, PartitionState::kClosed), Partition(4, PartitionState::kOpen)};
  EXPECT_FALSE(PickUpload(partitions, 11 * kHourNs, 10 * kHourNs).has_value());
  EXPECT_EQ(PickUpload(partitions, 12 * kHourNs, 10 * kHourNs)->record.id, 2u);
  EXPECT_EQ(PickUpload({partitions[2]}, 100 * kHourNs, 10 * kHourNs)->record.id, 3u);
  EXPECT_FALSE(PickUpload({partitions[3]}, 100 * kHourNs, 10 * kHourNs).has_value());
}

TEST(ColdPolicy, NeitherTheArchiveNorWhatCannotBeReadIsUploaded) {
  PartitionStatus archive = Partition(1, PartitionState::kClosed);
  archive.record.is_archive = true;
  EXPECT_FALSE(PickUpload({archive}, 100 * kHourNs, 0).has_value());
  PartitionStatus broken = Partition(1, PartitionState::kClosed);
  broken.segments[0].is_broken = true;
  EXPECT_FALSE(PickUpload({broken}, 100 * kHourNs, 0).has_value());
  EXPECT_EQ(
      PickUpload({broken, Partition(2, PartitionState::kClosed)}, 100 * kHourNs, 0)->record.id, 2u);
}

TEST(ColdPolicy, OnlyWhatIsWholeInTheTierIsEvicted) {
  EXPECT_FALSE(PickEvict({Partition(1, PartitionState::kUploading)}, 100 * kHourNs, 0).has_value());
  const PartitionStatus uploaded = Partition(1, PartitionState::kUploaded);
  EXPECT_FALSE(PickEvict({uploaded}, 5 * kHourNs, 6 * kHourNs).has_value());
  EXPECT_EQ(PickEvict({uploaded}, 7 * kHourNs, 6 * kHourNs), 1u);
  PartitionStatus kept = uploaded;
  kept.record.keeps_rows = true;
  EXPECT_FALSE(PickEvict({kept}, 100 * kHourNs, 0).has_value());
  PartitionStatus broken = uploaded;
  broken.segments[0].is_broken = true;
  EXPECT_FALSE(PickEvict({broken}, 100 * kHourNs, 0).has_value());
}

TEST(ColdPolicy, WithoutATierWhatIsWholeInOneIsEvictedAtTheRetentionOfItsTenants) {
  const PartitionStatus uploaded = Partition(1, PartitionState::kUploaded);
  EXPECT_FALSE(PickEvictExpired({uploaded}, 6 * kHourNs, 6 * kHourNs, NoLimits).has_value());
  EXPECT_EQ(PickEvictExpired({uploaded}, 7 * kHourNs, 6 * kHourNs, NoLimits), 1u);
  const auto longer = [](TenantId) { return TenantLimits{.retention_ms = 9ull * 3600 * 1000}; };
  EXPECT_FALSE(PickEvictExpired({uploaded}, 9 * kHourNs, 6 * kHourNs, longer).has_value());
  EXPECT_EQ(PickEvictExpired({uploaded}, 10 * kHourNs, 6 * kHourNs, longer), 1u);
  const PartitionStatus uploading = Partition(1, PartitionState::kUploading);
  EXPECT_FALSE(PickEvictExpired({uploading}, 7 * kHourNs, 6 * kHourNs, NoLimits).has_value());
}

TEST(ColdPolicy, TheCopyThatIsKeptLeastGoesFirst) {
  const auto copy_of = [](uint64_t id, uint64_t until_hour) {
    PartitionStatus copy = Partition(id, PartitionState::kEvicted);
    copy.record.fetched_family = 100 + id;
    copy.record.fetched_until_age_ns = until_hour * kHourNs;
    copy.segments = Partition(id, PartitionState::kClosed).segments;
    return copy;
  };
  const std::vector<PartitionStatus> partitions = {copy_of(1, 30), copy_of(2, 20), copy_of(3, 40),
                                                   Partition(4, PartitionState::kEvicted),
                                                   Partition(5, PartitionState::kUploaded)};
  EXPECT_FALSE(PickCopy(partitions, 19 * kHourNs).has_value());
  EXPECT_EQ(PickCopy(partitions, 20 * kHourNs), 2u);
  EXPECT_EQ(PickCopy(partitions, UINT64_MAX), 2u);
  PartitionStatus elsewhere = copy_of(1, 1);
  elsewhere.record.tier = "another";
  EXPECT_FALSE(PickCopy({elsewhere}, UINT64_MAX, "this").has_value());
  EXPECT_EQ(PickCopy({elsewhere}, UINT64_MAX, "another"), 1u);
  PartitionStatus alone = copy_of(1, 1);
  alone.segments[0].entry.tenant = 9;
  EXPECT_FALSE(PickCopy({alone}, UINT64_MAX).has_value()) << "no part says where its spans are";
  EXPECT_FALSE(PickEvict(partitions, 100 * kHourNs, 1000 * kHourNs).has_value());
}

// The age may have gone back a little: it is saved now and then.
TEST(ColdPolicy, NothingIsOldBeforeItClosed) {
  EXPECT_FALSE(PickEvict({Partition(5, PartitionState::kUploaded)}, 4 * kHourNs, 0).has_value());
  EXPECT_FALSE(PickUpload({Partition(5, PartitionState::kClosed)}, 4 * kHourNs, 0).has_value());
}

TEST(ColdPolicy, ATenantsOwnRetentionCountsInTheTierToo) {
  const std::vector<PartitionStatus> partitions = {Partition(1, PartitionState::kEvicted)};
  EXPECT_FALSE(PickForgotten(partitions, 10 * kHourNs, 20 * kHourNs, NoLimits).has_value());
  EXPECT_EQ(PickForgotten(partitions, 21 * kHourNs, 20 * kHourNs, NoLimits)->tenant, 0u);
  const auto limits = [](TenantId tenant) {
    return TenantLimits{.retention_ms = tenant == 7 ? 3600ull * 1000 : 0};
  };
  const auto pick = PickForgotten(partitions, 10 * kHourNs, 20 * kHourNs, limits);
  ASSERT_TRUE(pick.has_value());
  EXPECT_EQ(pick->partition, 1u);
  EXPECT_EQ(pick->tenant, 7u);
}

}  // namespace
}  // namespace larder
