// A store whose partitions go to a tier that fails when a test says so.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "storage/engine/catalog/catalog.h"
#include "storage/engine/store.h"
#include "storage/kv/keys.h"
#include "storage/kv/kv_store.h"
#include "storage/model/span.h"
#include "storage/segment/page/page_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tiering/directory/directory_tier.h"

namespace larder {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kHourNs = 3600 * kSecondNs;

class FlakyTier : public ColdTier {
 public:
  explicit FlakyTier(std::unique_ptr<ColdTier> inner) : inner_(std::move(inner)) {}

  std::string name() const override { return inner_->name(); }
  uint64_t span_age_ms_max() const override { return age_ms_max; }
  Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                             const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    if (drops_packs > 0 && drops_packs-- > 0) {
      PackReceipt lost;
      lost.parts = {static_cast<uint32_t>(pack.spans.size())};
      return lost;
    }
    auto receipt = inner_->Upload(scope, pack, limits);
    if (receipt.ok() && refuses_rows) receipt->refused = {0};
    return receipt;
  }
  Result<bool> Verify(const ColdScope& scope, const PackId& pack, const PackReceipt& receipt,
                      const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->Verify(scope, pack, receipt, limits);
  }
  Status ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                    const QueryLimits& limits, ColdRows* rows) override {
    ++reads;
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->ReadTraces(scope, traces, limits, rows);
  }
  Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                          const QueryLimits& limits, ColdRows* rows) override {
    ++reads;
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->Search(scope, search, limits, rows);
  }
  Status Remove(const ColdScope& scope, const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->Remove(scope, limits);
  }

  uint64_t age_ms_max = UINT64_MAX;
  std::atomic<bool> is_away = false;
  std::atomic<bool> refuses_rows = false;
  std::atomic<int> drops_packs = 0;
  std::atomic<int> reads = 0;

 private:
  const std::unique_ptr<ColdTier> inner_;
};

TraceId TraceOf(uint64_t number) {
  TraceId id;
  id.bytes.fill(static_cast<uint8_t>(number >> 8));
  id.bytes[0] = 7;
  id.bytes[15] = static_cast<uint8_t>(number);
  return id;
}

Span MakeSpan(uint64_t trace, uint8_t number, const std::string& service, uint64_t start_ns) {
  Span span;
  span.trace_id = TraceOf(trace);
  span.span_id.bytes.fill(number);
  if (number > 1) span.parent_span_id.bytes.fill(1);
  span.name = service + "-op";
  span.kind = 2;
  span.start_ns = start_ns;
  span.end_ns = start_ns + 1'000'000;
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({"service.name", ValueType::kString, service});
  span.resource = std::move(resource);
  span.scope = std::make_shared<Scope>();
  return span;
}

class StoreWithTier : public testing::Test {
 protected:
  StoreWithTier() {
    SetLogToStderr(LogLevel::kError, LogFormat::kText);
    EXPECT_TRUE(CreateDirectoryTier({.path = scratch_.File("tier")}).ok());
    auto tier = OpenDirectoryTier({.path = scratch_.File("tier"), .clock = &clock_});
    EXPECT_TRUE(tier.ok());
    tier_ = std::make_unique<FlakyTier>(std::move(tier).value());
    options_.data_dir = scratch_.File("data");
    options_.clock = &clock_;
    options_.durability = Durability::kAsync;
    options_.partition_ms = 3600 * 1000;
    options_.disk_bytes_max = 1ull << 40;
    options_.tier = tier_.get();
    options_.cold.after_ms = 0;
    options_.cold.evict_after_ms = 2ull * 3600 * 1000;
    options_.cold.retention_ms = 1000ull * 3600 * 1000;
    options_.cold.bytes_per_second = 0;
    options_.cold.confirm_ms_max = 100;
  }

  void Open() {
    store_.reset();
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }

  void Write(const std::vector<Span>& spans) {
    ASSERT_TRUE(store_->Write({.otlp = EncodeSpans(spans)}).status.ok());
  }
  // Traces [first, first + count): `front` calls `pay`, in requests of their own, a minute apart.
  void WriteTraces(uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; ++i) {
      const uint64_t now_ns = clock_.NowUnixNanos();
      Write({MakeSpan(i, 1, "front", now_ns)});
      Write({MakeSpan(i, 2, "pay", now_ns + 1000)});
      clock_.Advance(60 * kSecondNs);
    }
  }
  // Everything that was written leaves the disk.
  void Evict() {
    for (int i = 0; i < 2; ++i) {
      clock_.Advance(3 * kHourNs);
      ASSERT_TRUE(store_->Settle().ok());
    }
    ASSERT_EQ(store_->stats().stored_rows + store_->stats().head_rows, 0u);
    ASSERT_GT(store_->stats().tier.cold_partitions, 0u);
  }

  // Closes the store, and flips a bit in the trace pages of every segment of a partition.
  void DamageTraces(uint64_t partition) {
    store_.reset();
    auto kv = KvStore::Open({.path = options_.data_dir + "/db"});
    ASSERT_TRUE(kv.ok()) << kv.status().ToString();
    std::vector<KvStore::Change> flipped;
    for (const auto& family : (*kv)->families()) {
      if (family->name() != PartitionFamilyName(partition)) continue;
      const auto visit = [&flipped](std::string_view key, std::string_view value) {
        ShelfKey place;
        if (!DecodeShelfKey(key, &place)) return true;
        if (place.section != static_cast<uint8_t>(Section::kTraces)) return true;
        flipped.push_back({.key = std::string(key), .value = std::string(value)});
        flipped.back().value.back() = static_cast<char>(flipped.back().value.back() ^ 1);
        return true;
      };
      ASSERT_TRUE((*kv)->Scan(*family, "", visit).ok());
      ASSERT_TRUE((*kv)->Commit(*family, flipped).ok());
    }
    ASSERT_FALSE(flipped.empty());
  }

  TraceQuery Everything(uint32_t depth) {
    TraceQuery query;
    query.depth = depth;
    query.says_next = true;
    return query;
  }
  Result<Answer<FoundTrace>> Find(const TraceQuery& query) {
    return store_->FindTraceIds(query, {});
  }
  // The spans of a trace; the reason when there is an error.
  Result<std::vector<Span>> Get(uint64_t trace, std::vector<Gap>* gaps = nullptr) {
    const auto cursor = store_->GetTraces(0, {TraceOf(trace)}, {});
    std::vector<Span> spans;
    for (;;) {
      LARDER_ASSIGN_OR_RETURN(const TraceChunk chunk, cursor->Next());
      if (chunk.end) break;
      LARDER_ASSIGN_OR_RETURN(const std::vector<Span> some, DecodeSpans(chunk.traces_data));
      spans.insert(spans.end(), some.begin(), some.end());
    }
    if (gaps != nullptr) *gaps = cursor->gaps();
    return spans;
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  std::unique_ptr<FlakyTier> tier_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

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
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.File("tier"))) {
    EXPECT_NE(entry.path().extension(), ".pack") << entry.path();
  }
  Open();
  EXPECT_TRUE(store_->Partitions().empty());
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
