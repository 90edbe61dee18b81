#include "tests/support/store_with_tier.h"

#include <set>

namespace larder {
namespace {

TEST_F(StoreWithTier, AnswersAsBeforeWhenEverythingLeftTheDisk) {
  Open();
  const uint64_t began_ns = clock_.NowUnixNanos();
  WriteTraces(0, 100);
  ASSERT_TRUE(store_->Settle().ok());
  const auto calls_before = store_->Dependencies(0, {}, {});
  const auto found_before = Find(Everything(30));
  const auto summaries_before = store_->FindSummaries(Everything(30), {});
  ASSERT_TRUE(calls_before.ok());
  EXPECT_EQ(calls_before->values, (std::vector<Dependency>{{"front", "pay", 100}}));
  Evict();
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(store_->stats().tier.cold_rows, 200u);
    tier_->reads = 0;
    EXPECT_EQ(store_->Services(0, {})->values, (std::vector<std::string>{"front", "pay"}));
    EXPECT_EQ(store_->Operations(0, "pay", 2, {})->values, (std::vector<Operation>{{"pay-op", 2}}));
    EXPECT_TRUE(store_->Operations(0, "pay", 3, {})->values.empty());
    EXPECT_EQ(store_->Dependencies(0, {}, {})->values, calls_before->values);
    EXPECT_TRUE(store_->Dependencies(0, {0, began_ns - 60 * kSecondNs}, {})->values.empty());
    EXPECT_TRUE(Get(5000)->empty());
    TraceQuery elsewhere = Everything(10);
    elsewhere.start = {began_ns - 10 * kHourNs, began_ns - 2 * kHourNs};
    EXPECT_TRUE(Find(elsewhere)->values.empty());
    EXPECT_EQ(tier_->reads, 0) << "local data knew all that";

    EXPECT_EQ(Get(42)->size(), 2u);
    const auto found = Find(Everything(30));
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->values.size(), 30u);
    for (size_t i = 0; i < 30; ++i) {
      EXPECT_EQ(found->values[i].trace_id, found_before->values[i].trace_id);
      EXPECT_EQ(found->values[i].max_end_ns, found_before->values[i].max_end_ns);
    }
    EXPECT_EQ(found->next, found_before->next);
    const auto summaries = store_->FindSummaries(Everything(30), {});
    ASSERT_EQ(summaries->values.size(), 30u);
    EXPECT_EQ(summaries->values[29].span_count, 2u);
    EXPECT_EQ(summaries->values[29].root_service, summaries_before->values[29].root_service);
    std::vector<std::string> faults;
    EXPECT_TRUE(store_->Verify(&faults).ok());
    EXPECT_TRUE(faults.empty());
    Open();
  }
}

TEST_F(StoreWithTier, PagesGoOnWhenTheirPartitionLeavesTheDisk) {
  Open();
  WriteTraces(0, 100);
  std::set<TraceId> seen;
  TraceQuery query = Everything(7);
  for (int page = 0; page < 20; ++page) {
    if (page == 3) Evict();
    const auto found = Find(query);
    ASSERT_TRUE(found.ok());
    EXPECT_TRUE(found->gaps.empty());
    for (const FoundTrace& trace : found->values) {
      EXPECT_TRUE(seen.insert(trace.trace_id).second) << "twice";
    }
    if (!found->next) break;
    query.after = found->next;
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST_F(StoreWithTier, SaysWhatCannotBeReached) {
  Open();
  WriteTraces(0, 20);
  Write({MakeSpan(500, 1, "front", clock_.NowUnixNanos())});
  Evict();
  Write({MakeSpan(500, 2, "pay", clock_.NowUnixNanos())});
  Write({MakeSpan(501, 1, "front", clock_.NowUnixNanos())});
  tier_->is_away = true;

  const auto lost = Get(3);
  EXPECT_EQ(lost.status().code(), StatusCode::kUnavailable) << lost.status().ToString();
  EXPECT_NE(lost.status().message().find("no route to it"), std::string_view::npos);

  std::vector<Gap> gaps;
  const auto half = Get(500, &gaps);
  ASSERT_TRUE(half.ok()) << half.status().ToString();
  ASSERT_EQ(half->size(), 1u);
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_NE(gaps[0].place.find("in the cold tier"), std::string::npos);
  EXPECT_TRUE(std::any_of((*half)[0].attributes.begin(), (*half)[0].attributes.end(),
                          [](const auto& it) { return it.key == "@jaeger@warnings"; }));

  const auto found = Find(Everything(50));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->values.size(), 2u);
  EXPECT_FALSE(found->gaps.empty());
  // What fills the page is newer than all that is away.
  const auto newest = Find(Everything(1));
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest->values.size(), 1u);
  EXPECT_EQ(store_->Services(0, {})->values.size(), 2u);
  tier_->is_away = false;
  EXPECT_EQ(Get(500)->size(), 2u);
  EXPECT_EQ(Find(Everything(50))->values.size(), 22u);
}

// However many traces are asked for, and in however many reads.
TEST_F(StoreWithTier, ACallWaitsForTheTierSoLongAndNoLonger) {
  options_.partition_ms = 100ull * 3600 * 1000;
  options_.cold.read_ms_max = 10'000;
  Open();
  WriteTraces(0, 200);
  clock_.Advance(100 * kHourNs);
  Evict();
  ASSERT_EQ(store_->stats().tier.cold_partitions, 1u);
  std::vector<TraceId> ids;
  for (uint64_t i = 0; i < 200; ++i) ids.push_back(TraceOf(i));
  tier_->clock = &clock_;
  tier_->read_ns = 4 * kSecondNs;
  const auto cursor = store_->GetTraces(0, ids, {});
  uint64_t traces = 0;
  for (;;) {
    const auto chunk = cursor->Next();
    ASSERT_TRUE(chunk.ok()) << chunk.status().ToString();
    if (chunk->end) break;
    ++traces;
    clock_.Advance(kSecondNs);  // a slow reader's time is its own
  }
  // 64 at a time: the third read begins in time and ends too late.
  EXPECT_EQ(traces, 128u);
  ASSERT_FALSE(cursor->gaps().empty());
  EXPECT_NE(cursor->gaps()[0].reason.find("deadline exceeded"), std::string::npos)
      << cursor->gaps()[0].reason;
}

// What the tier unpacks is the query's.
TEST_F(StoreWithTier, AReadMayNotTakeMoreThanTheMemoryOfAQuery) {
  Open();
  std::vector<Span> spans;
  for (uint8_t i = 1; i < 40; ++i) {
    spans.push_back(MakeSpan(7, i, "front", clock_.NowUnixNanos()));
    spans.back().name = std::string(20'000, static_cast<char>('a' + i % 26)) + std::to_string(i);
  }
  Write(spans);
  Evict();
  EXPECT_EQ(Get(7)->size(), 39u);
  options_.query_memory_bytes_max = 300'000;
  Open();
  const auto refused = Get(7);
  EXPECT_EQ(refused.status().code(), StatusCode::kUnavailable) << refused.status().ToString();
  EXPECT_NE(refused.status().message().find("needs more than its memory of 292 KiB"),
            std::string_view::npos)
      << refused.status().ToString();
}

// A Logstore's time to live, files that somebody removed.
TEST_F(StoreWithTier, SaysWhatTheTierHasLost) {
  Open();
  const uint64_t began_ns = clock_.NowUnixNanos();
  Write({MakeSpan(500, 1, "front", began_ns)});
  WriteTraces(0, 100);
  // Spans that come twice, in one segment and in two.
  Write({MakeSpan(42, 2, "pay", began_ns), MakeSpan(42, 2, "pay", began_ns)});
  Write({MakeSpan(500, 2, "pay", clock_.NowUnixNanos())});
  WriteTraces(100, 100);
  Write({MakeSpan(42, 2, "pay", began_ns)});
  const uint64_t ended_ns = clock_.NowUnixNanos();
  Evict();
  std::vector<Gap> gaps;
  for (uint64_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(Get(i, &gaps).ok());
    ASSERT_TRUE(gaps.empty()) << gaps[0].reason;
  }
  ASSERT_TRUE(Find(Everything(300))->gaps.empty());

  const auto lost_packs = PacksOf(store_->Partitions().front().id);
  ASSERT_FALSE(lost_packs.empty());
  for (const std::string& pack : lost_packs) std::filesystem::remove(pack);
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto gone = Get(0);
    EXPECT_EQ(gone.status().code(), StatusCode::kDataLoss) << gone.status().ToString();
    EXPECT_NE(gone.status().message().find("2 of 2 spans of trace 0700"), std::string_view::npos)
        << gone.status().ToString();
    const auto half = Get(500, &gaps);
    ASSERT_TRUE(half.ok()) << half.status().ToString();
    EXPECT_EQ(half->size(), 1u);
    ASSERT_EQ(gaps.size(), 1u);
    EXPECT_NE(gaps[0].reason.find("1 of 1 spans of trace"), std::string::npos) << gaps[0].reason;
    EXPECT_EQ(Get(199, &gaps)->size(), 2u);
    EXPECT_TRUE(gaps.empty());

    const auto found = Find(Everything(300));
    ASSERT_TRUE(found.ok());
    EXPECT_GT(found->values.size(), 100u);
    EXPECT_LT(found->values.size(), 200u);
    EXPECT_TRUE(std::any_of(found->gaps.begin(), found->gaps.end(), [](const Gap& gap) {
      return gap.reason.find("spans that start from") != std::string::npos;
    }));
    // What fills the page is newer than all that is lost, and so is all of the other window.
    EXPECT_TRUE(Find(Everything(5))->gaps.empty());
    TraceQuery late = Everything(300);
    late.start = {ended_ns - 30 * 60 * kSecondNs, ended_ns};
    EXPECT_EQ(Find(late)->values.size(), 30u);
    EXPECT_TRUE(Find(late)->gaps.empty());
    Open();
  }
}

TEST_F(StoreWithTier, WithoutItsTierAStoreSaysSo) {
  Open();
  WriteTraces(0, 5);
  Evict();
  options_.tier = nullptr;
  Open();
  EXPECT_EQ(Get(3).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Services(0, {})->values.size(), 2u);
  // Longer than any retention: the way to the spans stays.
  clock_.Advance(5000 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().tier.cold_rows, 10u);
  options_.tier = tier_.get();
  options_.cold.retention_ms = 10'000ull * 3600 * 1000;
  Open();
  EXPECT_EQ(Get(3)->size(), 2u);
}

TEST_F(StoreWithTier, WaitsOutAnOutage) {
  Open();
  tier_->is_away = true;
  WriteTraces(0, 100);
  clock_.Advance(72 * kHourNs);
  EXPECT_FALSE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().stored_rows, 200u);
  EXPECT_GT(store_->stats().tier.waiting_partitions, 0u);
  EXPECT_EQ(Get(42)->size(), 2u);
  tier_->is_away = false;
  Evict();
  EXPECT_EQ(Get(42)->size(), 2u);
}

TEST_F(StoreWithTier, SendsAgainWhatDidNotArrive) {
  Open();
  WriteTraces(0, 5);
  tier_->drops_packs = 1;
  Evict();
  EXPECT_EQ(store_->stats().tier.packs_resent, 1u);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(Get(i)->size(), 2u);
}

TEST_F(StoreWithTier, KeepsTheCopyOfWhatTheTierRefuses) {
  Open();
  tier_->refuses_rows = true;
  WriteTraces(0, 5);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(3 * kHourNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
  EXPECT_EQ(store_->stats().stored_rows, 10u);
  EXPECT_EQ(store_->stats().tier.cold_partitions, 0u);
}

TEST_F(StoreWithTier, ForgetsAtTheRetention) {
  options_.cold.retention_ms = 24ull * 3600 * 1000;
  Open();
  WriteTraces(0, 5);
  Evict();
  clock_.Advance(25 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().tier.cold_partitions, 0u);
  EXPECT_TRUE(Get(3)->empty());
  EXPECT_TRUE(store_->Services(0, {})->values.empty());
  EXPECT_EQ(Packs(), 0u);
  Open();
  EXPECT_TRUE(store_->Partitions().empty());
}

TEST_F(StoreWithTier, ARemovalThatFailsHoldsUpNoUpload) {
  options_.cold.retention_ms = 24ull * 3600 * 1000;
  Open();
  WriteTraces(0, 5);
  Evict();
  tier_->keeps_all = true;
  clock_.Advance(25 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().tier.failures, 1u);
  EXPECT_NE(store_->stats().tier.last_error.find("removal is not allowed"), std::string::npos);
  WriteTraces(100, 5);
  Evict();
  EXPECT_EQ(store_->stats().tier.cold_rows, 10u);
  const size_t packs_before = Packs();
  tier_->keeps_all = false;
  clock_.Advance(60 * kSecondNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_LT(Packs(), packs_before);
  EXPECT_EQ(store_->stats().tier.last_error, "");
}

TEST_F(StoreWithTier, KeepsTenantsApartAndPurgesThem) {
  Open();
  const TenantId tenant = *store_->OpenTenant("acme");
  WriteTraces(0, 5);
  const std::vector<Span> others = {MakeSpan(3, 9, "secret", clock_.NowUnixNanos())};
  ASSERT_TRUE(store_->Write({.tenant = tenant, .otlp = EncodeSpans(others)}).status.ok());
  Evict();
  EXPECT_EQ(Get(3)->size(), 2u);
  EXPECT_EQ(store_->Services(tenant, {})->values, std::vector<std::string>{"secret"});
  ASSERT_TRUE(store_->PurgeTenant(tenant).ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(store_->Services(tenant, {})->values.empty());
    EXPECT_EQ(Get(3)->size(), 2u);
    Open();
  }
  ASSERT_TRUE(store_->Purge().ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(Get(3)->empty());
    EXPECT_TRUE(store_->Partitions().empty());
    Open();
  }
}

TEST_F(StoreWithTier, TheDiskCapEvictsBeforeItDrops) {
  options_.cold.evict_after_ms = 1000ull * 3600 * 1000;
  Open();
  WriteTraces(0, 200);
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_EQ(store_->stats().tier.cold_partitions, 0u);
  ASSERT_GT(store_->stats().partitions, 2u);
  options_.disk_bytes_max = store_->stats().stored_bytes - 1;
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_GT(store_->stats().tier.cold_partitions, 0u);
  EXPECT_EQ(store_->stats().tier.partitions_lost, 0u);
  EXPECT_EQ(store_->stats().partitions_dropped, 0u);
  for (uint64_t i = 0; i < 200; i += 50) EXPECT_EQ(Get(i)->size(), 2u);
}

TEST_F(StoreWithTier, APageThatCannotBeReadHoldsUpNoOtherPartition) {
  Open();
  WriteTraces(0, 200);
  clock_.Advance(kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_EQ(store_->stats().tier.cold_partitions, 0u);
  ASSERT_EQ(store_->stats().tier.waiting_partitions, 0u);
  const uint64_t oldest = store_->Partitions().front().id;
  const uint64_t partitions = store_->stats().partitions;
  ASSERT_GT(partitions, 2u);
  DamageTraces(oldest);
  Open();
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(store_->stats().tier.cold_partitions, partitions - 1);
    EXPECT_EQ(store_->Partitions().front().state, "uploaded");
    EXPECT_EQ(store_->stats().tier.partitions_kept, restarts == 0 ? 1u : 0u);
    EXPECT_EQ(Get(199)->size(), 2u);
    Open();
    ASSERT_TRUE(store_->Settle().ok());
  }
  // Nothing else is left to make space with.
  options_.disk_bytes_max = 1;
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().stored_bytes, 0u);
  EXPECT_EQ(store_->stats().tier.cold_partitions, partitions - 1);
}

// The cap takes the oldest when an unreadable page keeps what it would evict first.
TEST_F(StoreWithTier, TheDiskCapDropsWhatCannotBeEvicted) {
  options_.cold.evict_after_ms = 1000ull * 3600 * 1000;
  Open();
  WriteTraces(0, 200);
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  std::vector<uint64_t> uploaded;
  for (const StoredPartition& partition : store_->Partitions()) {
    if (partition.state == "uploaded") uploaded.push_back(partition.id);
  }
  ASSERT_GT(uploaded.size(), 2u);
  for (const uint64_t partition : uploaded) DamageTraces(partition);
  options_.disk_bytes_max = 1;
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().stored_bytes, 0u);
}

TEST_F(StoreWithTier, RefusesToStartWhenSpansWouldBeTooOld) {
  tier_->age_ms_max = 6ull * 24 * 3600 * 1000;
  options_.cold.after_ms = 4ull * 24 * 3600 * 1000;
  const auto store = Store::Open(options_);
  EXPECT_EQ(store.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(store.status().message().find("tier.after"), std::string_view::npos);
}

}  // namespace
}  // namespace larder
