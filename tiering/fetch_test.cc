// Spans that come back from the cold tier for a while.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>

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
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"
#include "tiering/directory/directory_tier.h"

namespace larder {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kHourMs = 3600 * 1000;
constexpr uint64_t kHourNs = 3600 * kSecondNs;

// A tier that counts what it is asked, answers each thing twice, and can be told to be away.
class WatchedTier : public ColdTier {
 public:
  explicit WatchedTier(std::unique_ptr<ColdTier> inner) : inner_(std::move(inner)) {}

  std::string name() const override { return inner_->name(); }
  Result<std::string> identity() const override { return inner_->identity(); }
  Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                             const QueryLimits& limits) override {
    return inner_->Upload(scope, pack, limits);
  }
  Result<bool> Verify(const ColdScope& scope, const PackId& pack, const PackReceipt& receipt,
                      const QueryLimits& limits) override {
    return inner_->Verify(scope, pack, receipt, limits);
  }
  Status ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                    const QueryLimits& limits, ColdRows* rows) override {
    LARDER_RETURN_IF_ERROR(NoteRead());
    return inner_->ReadTraces(scope, traces, limits, rows);
  }
  Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                          const QueryLimits& limits, ColdRows* rows) override {
    LARDER_RETURN_IF_ERROR(NoteRead());
    LARDER_RETURN_IF_ERROR(inner_->Search(scope, search, limits, rows).status());
    return inner_->Search(scope, search, limits, rows);
  }
  Status Remove(const ColdScope& scope, const QueryLimits& limits) override {
    return inner_->Remove(scope, limits);
  }

  std::atomic<bool> is_away = false;
  std::atomic<uint64_t> reads = 0;

 private:
  Status NoteRead() {
    ++reads;
    return is_away ? Status::Unavailable("no route to it") : Status::Ok();
  }

  const std::unique_ptr<ColdTier> inner_;
};

// Everything that questions can tell apart.
struct Answers {
  std::vector<TraceId> ids;        // in the order of a search
  std::vector<std::string> spans;  // of every trace, sorted
  std::vector<std::string> summaries;
  std::vector<std::string> services;
  std::vector<Dependency> calls;
  friend bool operator==(const Answers&, const Answers&) = default;
};

class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    SetLogToStderr(LogLevel::kError, LogFormat::kText);
    UseTier("tier");
    options_.data_dir = scratch_.File("data");
    options_.clock = &clock_;
    options_.durability = Durability::kAsync;
    options_.partition_ms = kHourMs;
    options_.disk_bytes_max = 1ull << 40;
    options_.cold = {.after_ms = 0,
                     .evict_after_ms = kHourMs,
                     .retention_ms = 1000 * kHourMs,
                     .bytes_per_second = 0};
    Open();
  }

  void UseTier(const std::string& folder) {
    EXPECT_TRUE(CreateDirectoryTier({.path = scratch_.File(folder)}).ok());
    auto tier = OpenDirectoryTier({.path = scratch_.File(folder), .clock = &clock_});
    ASSERT_TRUE(tier.ok());
    tier_ = std::make_unique<WatchedTier>(std::move(tier).value());
    options_.tier = tier_.get();
  }
  std::string TierPath() const { return scratch_.File("tier"); }

  void Open() {
    store_.reset();
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }

  void Send(const std::vector<Span>& spans, TenantId tenant = 0) {
    const WriteResult written = store_->Write({.tenant = tenant, .otlp = EncodeSpans(spans)});
    ASSERT_TRUE(written.status.ok()) << written.status.ToString();
  }

  Span SpanOfOther() {
    auto resource = std::make_shared<Resource>();
    resource->attributes.push_back({"service.name", ValueType::kString, "of another"});
    Span span = generator_.Next();
    span.resource = std::move(resource);
    return span;
  }
  // Traces with all that spans can have.
  void Write(uint64_t requests) {
    for (uint64_t i = 0; i < requests; ++i) {
      std::vector<Span> spans = generator_.Batch(10);
      for (Span& span : spans) {
        if (any_time_ && random_.OneIn(10)) continue;
        span.start_ns = clock_.NowUnixNanos() + i * kSecondNs / 10 + random_.Below(kSecondNs);
        span.end_ns = span.start_ns + random_.Below(kSecondNs);
      }
      Send(spans);
      rows_ += spans.size();
    }
    ASSERT_TRUE(store_->Flush().ok());
  }
  // Each hour's in a partition of its own, and then the disk without them.
  void WriteAndEvict(uint64_t hours, uint64_t requests_per_hour) {
    for (uint64_t hour = 0; hour < hours; ++hour) {
      Write(requests_per_hour);
      clock_.Advance(kHourNs);
    }
    Evict();
  }
  void Evict() {
    for (int i = 0; i < 2; ++i) {
      clock_.Advance(2 * kHourNs);
      ASSERT_TRUE(store_->Settle().ok());
    }
    ASSERT_EQ(store_->stats().stored_rows + store_->stats().head_rows, 0u);
  }

  Answers AskAll() {
    Answers answers;
    TraceQuery everything;
    everything.depth = 10'000;
    const auto found = store_->FindTraceIds(everything, {});
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    if (!found.ok()) return answers;
    EXPECT_TRUE(found->gaps.empty());
    for (const FoundTrace& trace : found->values) answers.ids.push_back(trace.trace_id);
    const auto cursor = store_->GetTraces(0, answers.ids, {});
    for (;;) {
      const auto chunk = cursor->Next();
      EXPECT_TRUE(chunk.ok()) << chunk.status().ToString();
      if (!chunk.ok() || chunk->end) break;
      const auto spans = DecodeSpans(chunk->traces_data);
      for (const Span& span : *spans) answers.spans.push_back(EncodeSpans({span}));
    }
    EXPECT_TRUE(cursor->gaps().empty());
    std::sort(answers.spans.begin(), answers.spans.end());
    const auto summaries = store_->FindSummaries(everything, {});
    for (const TraceSummary& it : summaries->values) {
      answers.summaries.push_back(it.root_service + "/" + it.root_operation + " " +
                                  std::to_string(it.span_count));
    }
    answers.services = store_->Services(0, {})->values;
    answers.calls = store_->Dependencies(0, {}, {})->values;
    return answers;
  }

  Result<FetchProgress> Fetch(uint64_t keep_ms, TimeRange start = {}) {
    return store_->Fetch({.start = start, .keep_ms = keep_ms}, {});
  }
  uint64_t CountState(std::string_view state) {
    const auto partitions = store_->Partitions();
    return static_cast<uint64_t>(
        std::count_if(partitions.begin(), partitions.end(),
                      [state](const StoredPartition& it) { return it.state == state; }));
  }
  void RemovePackOf(uint64_t partition) {
    char folder[24];
    std::snprintf(folder, sizeof folder, "%016llu", static_cast<unsigned long long>(partition));
    for (const auto& file : std::filesystem::recursive_directory_iterator(TierPath())) {
      const bool is_its_own = file.path().string().find(folder) != std::string::npos;
      if (!is_its_own || file.path().extension() != ".pack") continue;
      std::filesystem::remove(file.path());
      return;
    }
    FAIL() << "there is no pack of partition " << partition;
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  Random random_{TestSeed()};
  SpanGenerator generator_{&random_, {.duplicate_one_in = 0}};
  bool any_time_ = false;  // some spans start at the ends of time
  std::unique_ptr<WatchedTier> tier_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  uint64_t rows_ = 0;
};

TEST_F(FetchTest, WhatIsFetchedIsAnsweredWithoutTheTier) {
  any_time_ = true;
  WriteAndEvict(3, 20);
  const Answers evicted = AskAll();
  ASSERT_FALSE(evicted.spans.empty());
  const auto fetched = Fetch(10 * kHourMs);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_EQ(fetched->partitions, 3u);
  EXPECT_EQ(fetched->partitions_done, 3u);
  EXPECT_EQ(fetched->rows_done, rows_);
  EXPECT_GT(fetched->bytes_done, 0u);
  tier_->is_away = true;
  tier_->reads = 0;
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(AskAll(), evicted);
    EXPECT_EQ(tier_->reads, 0u);
    const StoreStats stats = store_->stats();
    EXPECT_EQ(stats.tier.cold_rows, 0u);
    EXPECT_EQ(stats.tier.fetched_rows, rows_);
    EXPECT_EQ(stats.stored_rows, rows_);
    EXPECT_EQ(CountState("fetched"), 3u);
    std::vector<std::string> faults;
    EXPECT_TRUE(store_->Verify(&faults).ok());
    EXPECT_TRUE(faults.empty()) << faults.front();
    Open();
  }
  tier_->is_away = false;
  clock_.Advance(11 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(store_->stats().stored_rows, 0u);
    EXPECT_EQ(store_->stats().tier.cold_rows, rows_);
    EXPECT_EQ(AskAll(), evicted);
    EXPECT_GT(tier_->reads, 0u);
    Open();
  }
}

TEST_F(FetchTest, APartitionOfManySegmentsComesBackInPieces) {
  options_.memory_bytes_max = 24 << 20;
  options_.query_memory_bytes_max = 1 << 30;
  Open();
  WriteAndEvict(1, 2500);
  const auto fetched = Fetch(kHourMs);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  ASSERT_TRUE(fetched->missing.empty()) << fetched->missing.front();
  EXPECT_GT(store_->stats().segments, 2u);
  EXPECT_GT(store_->stats().index_bytes_written, 0u);
  EXPECT_EQ(store_->stats().tier.fetched_rows, rows_);
  tier_->is_away = true;
  Open();
  EXPECT_EQ(CountState("fetched"), 1u);
  TraceQuery everything;
  everything.depth = 10'000;
  const auto found = store_->FindTraceIds(everything, {});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_TRUE(found->gaps.empty());
}

TEST_F(FetchTest, OnlyTheTimeThatIsAskedForComes) {
  const uint64_t began_ns = clock_.NowUnixNanos();
  WriteAndEvict(3, 5);
  const auto fetched = Fetch(kHourMs, {began_ns, began_ns + 60 * kSecondNs});
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_LT(fetched->partitions, 3u);
  EXPECT_EQ(CountState("fetched"), fetched->partitions);
  EXPECT_EQ(CountState("evicted"), 3u - fetched->partitions);
}

TEST_F(FetchTest, SaysWhyItRefuses) {
  const auto nothing = Fetch(kHourMs);
  EXPECT_EQ(nothing.status().code(), StatusCode::kNotFound) << nothing.status().ToString();
  WriteAndEvict(1, 5);
  const auto elsewhere = Fetch(kHourMs, {0, kHourNs});
  EXPECT_EQ(elsewhere.status().code(), StatusCode::kNotFound);

  options_.disk_bytes_max = store_->stats().tier.cold_local_bytes + 1;
  Open();
  const auto large = Fetch(kHourMs);
  EXPECT_EQ(large.status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(large.status().message().find("disk.cap"), std::string_view::npos);
  options_.disk_bytes_max = 1ull << 40;
  Open();
  tier_->is_away = true;
  const auto away = Fetch(kHourMs);
  EXPECT_EQ(away.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(away.status().message().find("no route to it"), std::string_view::npos);
  EXPECT_EQ(CountState("evicted"), 1u);
  tier_->is_away = false;

  Status second;
  const FetchRequest all{.start = {}, .keep_ms = kHourMs};
  const FetchWatch watch{.on_progress = [&](const FetchProgress&) {
    if (second.ok()) second = store_->Fetch(all, {}).status();
  }};
  EXPECT_TRUE(store_->Fetch(all, watch).ok());
  EXPECT_EQ(second.code(), StatusCode::kAborted);

  options_.tier = nullptr;
  Open();
  const auto none = Fetch(kHourMs);
  EXPECT_EQ(none.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(none.status().message().find("tier.kind"), std::string_view::npos);
  EXPECT_EQ(CountState("fetched"), 1u) << "without the tier it is all that can be reached";
}

TEST_F(FetchTest, WhatIsDoneStaysWhenItIsInterrupted) {
  WriteAndEvict(3, 5);
  const Answers evicted = AskAll();
  std::atomic<bool> cancelled = false;
  const FetchWatch watch{.cancelled = &cancelled, .on_progress = [&](const FetchProgress& it) {
                           if (it.partitions_done == 1) cancelled = true;
                         }};
  const auto interrupted = store_->Fetch({.start = {}, .keep_ms = kHourMs}, watch);
  EXPECT_EQ(interrupted.status().code(), StatusCode::kCancelled);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(CountState("fetched"), 1u);
    EXPECT_EQ(AskAll(), evicted);
    Open();
  }
  tier_->reads = 0;
  const auto again = Fetch(5 * kHourMs);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->partitions_done, 3u);
  EXPECT_LT(again->bytes_done, store_->stats().tier.fetched_bytes) << "one was there";
  // The one that was there is kept as long as the others by now.
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(CountState("fetched"), 3u);
  ASSERT_TRUE(Fetch(0).ok());
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(CountState("fetched"), 0u);
  EXPECT_EQ(AskAll(), evicted);
}

TEST_F(FetchTest, WhatTheTierLostIsSaidAndNotShown) {
  WriteAndEvict(3, 5);
  const uint64_t oldest = store_->Partitions().front().id;
  RemovePackOf(oldest);
  const auto fetched = Fetch(kHourMs);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_EQ(fetched->partitions_done, 2u);
  ASSERT_EQ(fetched->missing.size(), 1u);
  EXPECT_NE(fetched->missing[0].find("of"), std::string::npos);
  EXPECT_EQ(store_->Partitions().front().state, "evicted");
  EXPECT_EQ(store_->stats().tier.fetched_rows + store_->stats().tier.cold_rows, rows_);
}

TEST_F(FetchTest, WhatLiesInAnotherTierIsSaidAndItsCopyStays) {
  const uint64_t began_ns = clock_.NowUnixNanos();
  WriteAndEvict(3, 5);
  ASSERT_TRUE(Fetch(kHourMs, {began_ns, began_ns + 60 * kSecondNs}).ok());
  const uint64_t here = CountState("fetched");
  store_.reset();
  UseTier("other tier");
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  const auto fetched = Fetch(kHourMs);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  ASSERT_EQ(fetched->missing.size(), 3u - here);
  EXPECT_NE(fetched->missing[0].find("another cold tier"), std::string::npos);
  clock_.Advance(5 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(CountState("fetched"), here) << "it is all that can be reached";
  store_.reset();
  UseTier("tier");
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(CountState("fetched"), 0u);
}

TEST_F(FetchTest, SpansThatCameInTwiceComeBackOnce) {
  const std::vector<Span> twice = generator_.Batch(10);
  Send(twice);
  ASSERT_TRUE(store_->Flush().ok());
  Open();  // it forgets which requests it has seen
  std::vector<Span> with_more = twice;
  with_more.push_back(generator_.Next());
  Send(with_more);
  clock_.Advance(kHourNs);
  Evict();
  const Answers evicted = AskAll();
  const auto fetched = Fetch(kHourMs);
  ASSERT_TRUE(fetched.ok());
  ASSERT_TRUE(fetched->missing.empty()) << fetched->missing.front();
  tier_->is_away = true;
  EXPECT_EQ(AskAll(), evicted);
}

// Traces that lie in an evicted partition, in a copy, and in what is evicted beside it.
TEST_F(FetchTest, CallsStayWhatTheyWereWhateverIsHere) {
  const uint64_t began_ns = clock_.NowUnixNanos();
  WriteAndEvict(2, 20);
  ASSERT_TRUE(Fetch(1000 * kHourMs, {began_ns, began_ns + 60 * kSecondNs}).ok());
  Write(20);
  ASSERT_TRUE(store_->Settle().ok());
  const auto calls = store_->Dependencies(0, {}, {})->values;
  ASSERT_FALSE(calls.empty());
  ASSERT_TRUE(Fetch(1000 * kHourMs).ok());
  EXPECT_EQ(store_->Dependencies(0, {}, {})->values, calls);
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  clock_.Advance(3 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_EQ(CountState("evicted"), 1u);
  EXPECT_EQ(store_->Dependencies(0, {}, {})->values, calls);
  ASSERT_TRUE(Fetch(0).ok());
  ASSERT_TRUE(store_->Settle().ok());
  Open();
  EXPECT_EQ(CountState("fetched"), 0u);
  EXPECT_EQ(store_->Dependencies(0, {}, {})->values, calls);
}

TEST_F(FetchTest, CopiesGoFirstWhenTheDiskCapPresses) {
  WriteAndEvict(3, 20);
  const Answers evicted = AskAll();
  ASSERT_TRUE(Fetch(100 * kHourMs).ok());
  options_.disk_bytes_max = store_->stats().stored_bytes - 1;
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_GT(CountState("evicted"), 0u);
  EXPECT_EQ(store_->stats().partitions_dropped, 0u);
  EXPECT_EQ(store_->stats().tier.partitions_lost, 0u);
  EXPECT_EQ(AskAll(), evicted);
}

TEST_F(FetchTest, PurgesAndTheRetentionTakeCopiesToo) {
  const TenantId other = *store_->OpenTenant("acme");
  Send({SpanOfOther()}, other);
  WriteAndEvict(2, 5);
  const Answers evicted = AskAll();
  ASSERT_TRUE(Fetch(10'000 * kHourMs).ok());
  ASSERT_FALSE(store_->Services(other, {})->values.empty());
  ASSERT_TRUE(store_->PurgeTenant(other).ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(store_->Services(other, {})->values.empty());
    EXPECT_EQ(AskAll(), evicted);
    Open();
  }
  ASSERT_TRUE(Fetch(10'000 * kHourMs).ok());
  clock_.Advance(1100 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(store_->Partitions().empty());
    EXPECT_EQ(store_->stats().stored_bytes, 0u);
    Open();
  }
  WriteAndEvict(1, 5);
  ASSERT_TRUE(Fetch(10'000 * kHourMs).ok());
  ASSERT_TRUE(store_->Purge().ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(AskAll().ids.empty());
    EXPECT_TRUE(store_->Partitions().empty());
    Open();
  }
}

TEST_F(FetchTest, ATenantThatIsPurgedMeanwhileDoesNotComeBack) {
  const TenantId other = *store_->OpenTenant("acme");
  Send({SpanOfOther()}, other);
  WriteAndEvict(1, 5);
  bool is_purged = false;
  const FetchWatch watch{.on_progress = [&](const FetchProgress&) {
    if (is_purged) return;
    is_purged = true;
    EXPECT_TRUE(store_->PurgeTenant(other).ok());
  }};
  const auto fetched = store_->Fetch({.start = {}, .keep_ms = kHourMs}, watch);
  ASSERT_TRUE(fetched.ok());
  EXPECT_EQ(fetched->missing.size(), 1u);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(store_->Services(other, {})->values.empty());
    EXPECT_EQ(CountState("evicted"), 1u);
    Open();
  }
  EXPECT_TRUE(Fetch(kHourMs)->missing.empty());
}

TEST_F(FetchTest, ADamagedCopyGoesAtAStart) {
  WriteAndEvict(1, 5);
  const Answers evicted = AskAll();
  ASSERT_TRUE(Fetch(kHourMs).ok());
  store_.reset();
  {
    auto kv = KvStore::Open({.path = options_.data_dir + "/db"});
    ASSERT_TRUE(kv.ok()) << kv.status().ToString();
    std::vector<KvStore::Change> broken;
    for (const auto& family : (*kv)->families()) {
      uint64_t id = 0;
      if (!ParseFetchedFamilyName(family->name(), &id)) continue;
      ASSERT_TRUE((*kv)
                      ->Scan(*family, "",
                             [&broken](std::string_view key, std::string_view) {
                               ShelfKey place;
                               const bool is_header =
                                   DecodeShelfKey(key, &place) &&
                                   place.section == static_cast<uint8_t>(Section::kHeader);
                               if (is_header) broken.push_back({std::string(key), "broken"});
                               return true;
                             })
                      .ok());
      ASSERT_TRUE((*kv)->Commit(*family, broken).ok());
    }
    ASSERT_FALSE(broken.empty());
  }
  Open();
  EXPECT_EQ(CountState("evicted"), 1u);
  EXPECT_EQ(store_->stats().stored_rows, 0u);
  EXPECT_EQ(AskAll(), evicted);
  ASSERT_TRUE(Fetch(kHourMs).ok());
  EXPECT_EQ(CountState("fetched"), 1u);
}

}  // namespace
}  // namespace larder
