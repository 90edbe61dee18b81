// A real Store against the reference: random requests, restarts, seals, merges, closes, expiry and
// purges, with random questions after every step and while the store is at work.
//
//   larder_store_differential_test [--queries N] [--per-step N]     LARDER_SEED replays a run
#include "storage/engine/store.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "tests/differential/checker.h"
#include "tests/differential/page_walk.h"
#include "tests/differential/span_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tiering/directory/directory_tier.h"

namespace larder {
namespace {

uint64_t queries_wanted = 6000;
uint64_t queries_per_step = 20;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr TenantId kFirstOther = 5;
constexpr TenantId kSecondOther = 6;
constexpr uint64_t kPartitionSeconds = 600;
constexpr uint64_t kRetentionSeconds = 20 * kPartitionSeconds;
constexpr uint64_t kRetryWindowSeconds = 500;  // well within the store's memory of requests

class StoreSubject : public Subject {
 public:
  explicit StoreSubject(Store* store) : store_(store) {}
  std::unique_ptr<TraceCursor> GetTraces(std::vector<TraceId> ids) override {
    return store_->GetTraces(0, std::move(ids), {});
  }
  std::unique_ptr<TraceCursor> FindTraces(const TraceQuery& query) override {
    return store_->FindTraces(query, {});
  }
  Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query) override {
    return store_->FindTraceIds(query, {});
  }
  Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query) override {
    return store_->FindSummaries(query, {});
  }
  std::unique_ptr<SpanCursor> FindSpans(const SpanQuery& query) override {
    return store_->FindSpans(query, {});
  }
  Result<Answer<std::string>> Services() override { return store_->Services(0, {}); }
  Result<Answer<Operation>> Operations(std::string_view service, int32_t kind) override {
    return store_->Operations(0, service, kind, {});
  }
  Result<Answer<Dependency>> Dependencies(TimeRange child_start) override {
    return store_->Dependencies(0, child_start, {});
  }

 private:
  Store* const store_;
};

class StoreHistory {
 public:
  // With clashes, spans share ids and requests come again after a restart. With a tier, partitions
  // leave the disk soon after they close.
  StoreHistory(uint64_t seed, bool has_clashes, bool has_tier)
      : random_(seed),
        has_clashes_(has_clashes),
        maker_(&random_, {.reuse_span_ids = has_clashes}) {
    options_.data_dir = scratch_.File("data");
    options_.clock = &clock_;
    options_.durability = Durability::kAsync;
    options_.retention_ms = kRetentionSeconds * 1000;
    options_.partition_ms = kPartitionSeconds * 1000;
    options_.partition_rows_max = random_.Between(50, 3000);
    options_.head_bytes_max = random_.OneIn(2) ? 256 << 10 : 8 << 20;
    if (has_tier) {
      LARDER_CHECK(CreateDirectoryTier({.path = scratch_.File("tier")}).ok());
      auto tier = OpenDirectoryTier({.path = scratch_.File("tier"), .clock = &clock_});
      LARDER_CHECK(tier.ok());
      tier_ = std::move(tier).value();
      options_.tier = tier_.get();
      options_.cold.after_ms = random_.OneIn(2) ? 0 : kPartitionSeconds * 1000;
      options_.cold.evict_after_ms = random_.Between(1, 2 * kPartitionSeconds * 1000);
      options_.cold.retention_ms = kRetentionSeconds * 1000;
      options_.cold.bytes_per_second = 0;
    }
    Open();
  }

  void Run(uint64_t operations, uint64_t questions) {
    for (uint64_t i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
      Operate(questions);
      Ask(questions);
      TurnPages();
    }
  }

  uint64_t asked() const { return asked_; }
  uint64_t fetched() const { return fetched_; }
  const std::string& log() const { return log_; }

 private:
  struct Sent {
    std::vector<Span> spans;
    uint64_t arrival_ns = 0;
    bool is_repeatable = true;  // its retry would be recognised
  };

  void Operate(uint64_t questions) {
    switch (random_.Below(sent_.empty() ? 10 : 24)) {
      case 10:
      case 11:
        return Retry();
      case 12:
      case 13:
        log_ += "flush\n";
        ASSERT_TRUE(store_->Flush().ok());
        return;
      case 14:
        return Settle();
      case 15:
        return SettleWhileAsked(questions);
      case 16:
        return Restart();
      case 17:
      case 18:
        return Advance(random_.Between(1, 20));
      case 19:
        return Advance(random_.Between(kPartitionSeconds / 2, 2 * kPartitionSeconds));
      case 20:
        if (random_.OneIn(3)) return Expire();
        return Append();
      case 21:
        if (random_.OneIn(8)) return Purge();
        return Append();
      default:
        if (tier_ != nullptr && !spans_.empty() && random_.OneIn(3)) return Fetch(questions);
        return Append();
    }
  }

  // Partitions that leave the disk take their calls along, in sums of whole minutes: of these none
  // changes.
  void Settle() {
    log_ += "settle\n";
    const TimeRange minutes = WholeMinutes();
    const auto before = store_->Dependencies(0, minutes, {});
    ASSERT_TRUE(store_->Settle().ok());
    const auto after = store_->Dependencies(0, minutes, {});
    ASSERT_TRUE(before.ok());
    ASSERT_TRUE(after.ok());
    ASSERT_EQ(after->values, before->values) << minutes.min_ns << " to " << minutes.max_ns;
    ASSERT_TRUE(after->gaps.empty());
    ++asked_;
  }

  TimeRange WholeMinutes() {
    if (random_.OneIn(3)) return {};
    const uint64_t minute_ns = 60 * kSecondNs;
    const uint64_t start_ns = spans_[random_.Below(spans_.size())].start_ns;
    const uint64_t first = start_ns / minute_ns - std::min(start_ns / minute_ns, random_.Below(10));
    if (first > UINT64_MAX / minute_ns - 60) return {};
    return {first * minute_ns, (first + random_.Between(1, 30)) * minute_ns - 1};
  }

  void Open() {
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }

  void Append() {
    const std::vector<Span> request = maker_.Request();
    log_ += "append " + std::to_string(request.size()) + "\n";
    Send(request);
    sent_.push_back({request, clock_.NowUnixNanos(), true});
    reference_.Add(request);
    spans_.insert(spans_.end(), request.begin(), request.end());
  }

  // Other data sets hold other spans of the same traces, of which no answer may show anything.
  void SendNoise(std::vector<Span> request) {
    for (Span& span : request) {
      span.name += " of another";
      span.start_ns += random_.Below(1000);
    }
    const std::string bytes = EncodeSpans(request);
    for (const TenantId tenant : {kFirstOther, kSecondOther, ArchiveOf(0)}) {
      if (random_.OneIn(2)) SendAs(tenant, bytes);
    }
  }

  void Send(const std::vector<Span>& request) {
    if (random_.OneIn(3)) SendNoise(request);
    SendAs(0, EncodeSpans(request));
  }

  void SendAs(TenantId tenant, const std::string& bytes) {
    WriteResult written = store_->Write({.tenant = tenant, .otlp = bytes});
    // A busy machine seals late, and the store says so; a client comes again.
    for (int i = 0; i < 1000 && written.status.code() == StatusCode::kResourceExhausted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(written.retry_after_ms));
      written = store_->Write({.tenant = tenant, .otlp = bytes});
    }
    ASSERT_TRUE(written.status.ok()) << written.status.ToString();
    ASSERT_EQ(written.rejected_spans, 0u) << written.first_rejection;
  }

  void Retry() {
    Sent& sent = sent_[random_.Below(sent_.size())];
    const uint64_t age_ns = clock_.NowUnixNanos() - sent.arrival_ns;
    const bool is_known = sent.is_repeatable && age_ns < kRetryWindowSeconds * kSecondNs;
    if (!is_known && !has_clashes_) return Append();
    log_ += "append " + std::to_string(sent.spans.size()) + " again\n";
    Send(sent.spans);
    if (!is_known) sent.arrival_ns = clock_.NowUnixNanos();  // a second copy, that expires later
    reference_.Add(sent.spans);
  }

  // The answers stay the same while the store moves everything about.
  void SettleWhileAsked(uint64_t questions) {
    log_ += "settle while asked\n";
    Status settled;
    std::thread settler([&] { settled = store_->Settle(); });
    Ask(questions);
    settler.join();
    ASSERT_TRUE(settled.ok()) << settled.ToString();
  }

  // So they do while spans come back from the tier, and when the copies go again.
  void Fetch(uint64_t questions) {
    FetchRequest request;
    if (random_.OneIn(2)) {
      request.start.min_ns = spans_[random_.Below(spans_.size())].start_ns;
      request.start.max_ns = request.start.min_ns + random_.Below(3600) * kSecondNs;
    }
    request.keep_ms = random_.Between(1, 2 * kPartitionSeconds * 1000);
    log_ += "fetch\n";
    Result<FetchProgress> fetched = Status::Internal("it did not end");
    std::thread fetcher([&] { fetched = store_->Fetch(request, {}); });
    Ask(questions);
    fetcher.join();
    if (fetched.status().code() == StatusCode::kNotFound) return;
    ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
    ASSERT_TRUE(fetched->missing.empty()) << fetched->missing.front();
    ASSERT_EQ(fetched->partitions_done, fetched->partitions);
    fetched_ += fetched->partitions;
  }

  void Restart() {
    log_ += "restart\n";
    store_.reset();
    Open();
    for (Sent& sent : sent_) sent.is_repeatable = false;
  }

  void Advance(uint64_t seconds) {
    log_ += "advance " + std::to_string(seconds) + " s\n";
    clock_.Advance(seconds * kSecondNs);
    if (!Expires()) return;
    ASSERT_TRUE(store_->Settle().ok());
    FollowExpiry();
  }

  void Expire() {
    log_ += "expire\n";
    clock_.Advance(random_.Between(kRetentionSeconds / 3, kRetentionSeconds) * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
    FollowExpiry();
  }

  void Purge() {
    log_ += "purge\n";
    ASSERT_TRUE(store_->Purge().ok());
    sent_.clear();
    walks_.clear();
    reference_.Clear();
  }

  // Searches that were begun earlier go on, each by a page.
  void TurnPages() {
    if (testing::Test::HasFailure() || spans_.empty()) return;
    StoreSubject subject(store_.get());
    Checker checker(&subject, &reference_, &spans_, &random_);
    if (tier_ != nullptr) checker.SkipDependencies();
    if (walks_.size() < 4 && random_.OneIn(2)) {
      SpanQuery spans = checker.RandomSpanQuery();
      spans.page_size = static_cast<uint32_t>(random_.Between(3, 200));
      walks_.push_back(NewSpanWalk(spans, reference_));
      walks_.push_back(NewTraceWalk(checker.RandomQuery(), reference_));
    }
    for (const auto& walk : walks_) {
      ASSERT_EQ(walk->Step(&subject), "");
      ++asked_;
      if (walk->is_over()) {
        ASSERT_EQ(walk->Verify(reference_), "");
      }
    }
    std::erase_if(walks_, [](const auto& walk) { return walk->is_over(); });
  }

  bool Expires() const {
    return std::any_of(sent_.begin(), sent_.end(), [this](const Sent& sent) {
      return clock_now() - sent.arrival_ns >= kRetentionSeconds * kSecondNs;
    });
  }
  uint64_t clock_now() const { return const_cast<FakeClock&>(clock_).NowUnixNanos(); }

  // Whole partitions expire, and where their borders lie is the store's choice: what it still
  // answers is taken as what there is, when all of it was sent and nothing young is missing.
  void FollowExpiry() {
    std::vector<TraceId> ids;
    for (const auto& [id, spans] : reference_.traces()) ids.push_back(id);
    const auto cursor = store_->GetTraces(0, ids, {});
    ReferenceStore kept;
    for (;;) {
      const auto chunk = cursor->Next();
      ASSERT_TRUE(chunk.ok()) << chunk.status().ToString();
      if (chunk->end) break;
      const auto spans = DecodeSpans(chunk->traces_data);
      ASSERT_TRUE(spans.ok());
      kept.Add(*spans);
      const std::vector<Span>& known = reference_.Trace(chunk->trace_id);
      for (const Span& span : *spans) {
        ASSERT_NE(std::find(known.begin(), known.end(), span), known.end()) << "never sent";
      }
    }
    std::erase_if(sent_, [&](const Sent& sent) {
      const bool is_young = clock_now() - sent.arrival_ns < kRetentionSeconds * kSecondNs;
      if (is_young) ExpectKept(sent, kept);
      return !is_young && !IsKept(sent.spans[0], kept);
    });
    reference_ = std::move(kept);
    walks_.clear();
  }

  static void ExpectKept(const Sent& sent, const ReferenceStore& kept) {
    for (const Span& span : sent.spans) {
      ASSERT_TRUE(IsKept(span, kept)) << "expired before its time";
    }
  }

  static bool IsKept(const Span& span, const ReferenceStore& kept) {
    const std::vector<Span>& trace = kept.Trace(span.trace_id);
    return std::find(trace.begin(), trace.end(), span) != trace.end();
  }

  void Ask(uint64_t questions) {
    if (testing::Test::HasFailure() || spans_.empty()) return;
    StoreSubject subject(store_.get());
    Checker checker(&subject, &reference_, &spans_, &random_);
    if (tier_ != nullptr) checker.SkipDependencies();
    for (uint64_t i = 0; i < questions; ++i) ASSERT_EQ(checker.Ask(), "");
    if (random_.OneIn(8)) {
      ASSERT_EQ(checker.AskEveryTrace(), "");
    }
    asked_ += checker.asked();
  }

  Random random_;
  const bool has_clashes_;
  const ScratchDirectory scratch_;
  FakeClock clock_;
  SpanMaker maker_;
  StoreOptions options_;
  std::unique_ptr<ColdTier> tier_;  // null: none
  std::unique_ptr<Store> store_;
  ReferenceStore reference_;
  std::vector<Sent> sent_;
  std::vector<Span> spans_;
  std::vector<std::unique_ptr<PageWalk>> walks_;  // begun, not yet at their end
  std::string log_;
  uint64_t asked_ = 0;
  uint64_t fetched_ = 0;  // partitions
};

TEST(StoreDifferential, AnswersAsTheReferenceWhateverHappens) {
  SetLogToStderr(LogLevel::kError, LogFormat::kText);
  const uint64_t seed = TestSeed();
  uint64_t asked = 0;
  uint64_t fetched = 0;
  for (uint64_t round = 0; asked < queries_wanted; ++round) {
    Random random(seed + round);
    StoreHistory history(random.Next(), random.OneIn(3), random.OneIn(3));
    history.Run(random.Between(10, 80), queries_per_step);
    asked += history.asked();
    fetched += history.fetched();
    ASSERT_FALSE(HasFailure()) << "LARDER_SEED=" << seed + round << " replays it as round 0\n"
                               << history.log();
  }
  std::cerr << asked << " queries, no difference; " << fetched << " partitions fetched back\n";
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--queries") {
      larder::queries_wanted = value;
    } else if (flag == "--per-step") {
      larder::queries_per_step = value;
    } else {
      std::cerr << "usage: " << argv[0] << " [--queries N] [--per-step N]\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
