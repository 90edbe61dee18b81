// What a purge or a quota takes away after it was uploaded is never found in the tier again.
#include <set>

#include "tests/support/store_with_tier.h"

namespace larder {
namespace {

class StoreTakesBack : public StoreWithTier {
 protected:
  void WriteOf(TenantId tenant, const Span& span) {
    ASSERT_TRUE(store_->Write({.tenant = tenant, .otlp = EncodeSpans({span})}).status.ok());
  }
  // Files of packs of one tenant.
  size_t PacksOf(TenantId tenant) {
    size_t packs = 0;
    for (const auto& it : std::filesystem::recursive_directory_iterator(scratch_.File("tier"))) {
      if (it.path().extension() != ".pack") continue;
      packs += std::stoull(it.path().parent_path().filename()) == tenant ? 1u : 0u;
    }
    return packs;
  }
  void SettleLater(uint64_t hours) {
    clock_.Advance(hours * kHourNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
};

TEST_F(StoreTakesBack, APurgedTenantLeavesTheTierBeforeItsPartitionLeavesTheDisk) {
  options_.cold.evict_after_ms = 100ull * 3600 * 1000;
  Open();
  const TenantId tenant = *store_->OpenTenant("acme");
  WriteTraces(0, 5);
  WriteOf(tenant, MakeSpan(3, 9, "secret", clock_.NowUnixNanos()));
  SettleLater(2);
  ASSERT_EQ(store_->Partitions().front().state, "uploaded");
  ASSERT_GT(PacksOf(tenant), 0u);
  ASSERT_TRUE(store_->PurgeTenant(tenant).ok());
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(PacksOf(tenant), 0u);
  EXPECT_GT(PacksOf(0), 0u);
  SettleLater(101);
  EXPECT_EQ(store_->Partitions().front().state, "evicted");
  EXPECT_EQ(Get(3)->size(), 2u);
}

TEST_F(StoreTakesBack, APurgeOfEverythingLeavesTheTierToo) {
  options_.cold.evict_after_ms = 100ull * 3600 * 1000;
  Open();
  WriteTraces(0, 5);
  SettleLater(2);
  ASSERT_EQ(store_->Partitions().front().state, "uploaded");
  ASSERT_GT(PacksOf(0), 0u);
  ASSERT_TRUE(store_->Purge().ok());
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(PacksOf(0), 0u);
}

// The partition is marked before its first pack leaves.
TEST_F(StoreTakesBack, APurgeWhileTheFirstPackIsOnItsWayIsFollowedByItsRemoval) {
  Open();
  const TenantId tenant = *store_->OpenTenant("acme");
  WriteOf(tenant, MakeSpan(3, 9, "secret", clock_.NowUnixNanos()));
  bool was_purged = false;
  tier_->on_upload = [&] { was_purged = store_->PurgeTenant(tenant).ok(); };
  SettleLater(2);
  EXPECT_TRUE(was_purged);
  EXPECT_EQ(PacksOf(tenant), 0u);
}

TEST_F(StoreTakesBack, WhatAQuotaTookIsNotFoundInTheTier) {
  constexpr uint32_t kSpansOfTrace = 1000;
  constexpr uint32_t kTracesOfSegment = 33;  // above what is merged when a partition closes
  options_.cold.evict_after_ms = 100ull * 3600 * 1000;
  Open();
  std::set<TraceId> first_half;
  for (uint32_t trace = 0; trace < 2 * kTracesOfSegment; ++trace) {
    std::vector<Span> spans;
    for (uint32_t i = 0; i < kSpansOfTrace; ++i) {
      spans.push_back(MakeSpan(trace, 1, "front", clock_.NowUnixNanos() + i));
    }
    Write(spans);
    if (trace + 1 == kTracesOfSegment) {
      ASSERT_TRUE(store_->Flush().ok());
    }
    if (trace < kTracesOfSegment) first_half.insert(TraceOf(trace));
  }
  SettleLater(2);
  ASSERT_EQ(store_->Partitions().size(), 1u);
  ASSERT_EQ(store_->Partitions().front().state, "uploaded");
  ASSERT_EQ(store_->Partitions().front().segments, 2u);
  options_.tenants.each.disk_bytes_max = store_->stats().stored_bytes - 1;
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_EQ(store_->Partitions().front().segments, 1u);
  SettleLater(101);
  ASSERT_EQ(store_->Partitions().front().state, "evicted");
  const auto found = Find(Everything(100));
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->gaps.empty());
  EXPECT_EQ(found->values.size(), kTracesOfSegment);
  for (const FoundTrace& trace : found->values) EXPECT_FALSE(first_half.contains(trace.trace_id));
  EXPECT_TRUE(Get(0)->empty());
  EXPECT_EQ(Get(kTracesOfSegment)->size(), kSpansOfTrace);
}

}  // namespace
}  // namespace larder
