// A store whose partitions go to a tier that fails when a test says so.
#pragma once

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

inline constexpr uint64_t kSecondNs = 1'000'000'000;
inline constexpr uint64_t kHourNs = 3600 * kSecondNs;

class FlakyTier : public ColdTier {
 public:
  explicit FlakyTier(std::unique_ptr<ColdTier> inner) : inner_(std::move(inner)) {}

  std::string name() const override { return inner_->name(); }
  Result<std::string> identity() const override { return inner_->identity(); }
  uint64_t span_age_ms_max() const override { return age_ms_max; }
  Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                             const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    if (on_upload) std::exchange(on_upload, nullptr)();
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
    if (clock != nullptr) clock->Advance(read_ns);
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->ReadTraces(scope, traces, limits, rows);
  }
  Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                          const QueryLimits& limits, ColdRows* rows) override {
    ++reads;
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->Search(scope, search, limits, rows);
  }
  Result<std::optional<uint64_t>> CountSpans(const ColdScope& scope, TimeRange start,
                                             const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    return inner_->CountSpans(scope, start, limits);
  }
  Status Remove(const ColdScope& scope, const QueryLimits& limits) override {
    if (is_away) return Status::Unavailable("no route to it");
    if (keeps_all) return Status::PermissionDenied("removal is not allowed");
    return inner_->Remove(scope, limits);
  }

  FakeClock* clock = nullptr;  // a read of traces takes read_ns of it
  uint64_t read_ns = 0;
  uint64_t age_ms_max = UINT64_MAX;
  std::function<void()> on_upload;  // called once, before the next pack is taken
  std::atomic<bool> is_away = false;
  std::atomic<bool> refuses_rows = false;
  std::atomic<bool> keeps_all = false;
  std::atomic<int> drops_packs = 0;
  std::atomic<int> reads = 0;

 private:
  const std::unique_ptr<ColdTier> inner_;
};

inline TraceId TraceOf(uint64_t number) {
  TraceId id;
  id.bytes.fill(static_cast<uint8_t>(number >> 8));
  id.bytes[0] = 7;
  id.bytes[15] = static_cast<uint8_t>(number);
  return id;
}

inline Span MakeSpan(uint64_t trace, uint8_t number, const std::string& service,
                     uint64_t start_ns) {
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
    tier_ = MakeTier("tier");
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

  std::unique_ptr<FlakyTier> MakeTier(const std::string& directory) {
    EXPECT_TRUE(CreateDirectoryTier({.path = scratch_.File(directory)}).ok());
    auto tier = OpenDirectoryTier({.path = scratch_.File(directory), .clock = &clock_});
    EXPECT_TRUE(tier.ok());
    return std::make_unique<FlakyTier>(std::move(tier).value());
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

  // Files of packs in the tier.
  size_t Packs(const std::string& directory = "tier") {
    size_t packs = 0;
    for (const auto& it : std::filesystem::recursive_directory_iterator(scratch_.File(directory))) {
      packs += it.path().extension() == ".pack" ? 1u : 0u;
    }
    return packs;
  }

  // The files of a partition in the tier.
  std::vector<std::string> PacksOf(uint64_t partition) {
    std::vector<std::string> packs;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.File("tier"))) {
      if (entry.path().extension() != ".pack") continue;
      const std::string of = entry.path().parent_path().parent_path().filename();
      if (std::stoull(of) == partition) packs.push_back(entry.path());
    }
    return packs;
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

}  // namespace larder
