// Tenants of one store: that they see nothing of each other, and that limits and purges of one
// touch no other.
#include <atomic>
#include <cstring>
#include <future>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "storage/engine/store.h"
#include "storage/model/span.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kStartNs = 1'700'000'000 * kSecondNs;

// Traces 1, 2, ... of every tenant have the same ids, and spans that tell the tenant.
class TenantStoreTest : public testing::Test {
 protected:
  TenantStoreTest() {
    options_.data_dir = scratch_.File("data");
    options_.clock = &clock_;
    options_.durability = Durability::kAsync;
    options_.partition_ms = 600'000;
    Open();
  }

  void Open() {
    store_.reset();
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }
  TenantId Tenant(const std::string& name) {
    const auto tenant = store_->OpenTenant(name);
    EXPECT_TRUE(tenant.ok()) << tenant.status().ToString();
    return *tenant;
  }
  static TraceId TraceOf(uint64_t number) {
    TraceId id;
    std::memcpy(id.bytes.data(), &number, sizeof number);
    return id;
  }
  // A trace of a parent and a child of two services.
  static std::string Request(const std::string& name, uint64_t number, size_t padding) {
    const auto scope = std::make_shared<Scope>();
    std::vector<Span> spans;
    for (const char* side : {"front", "back"}) {
      auto resource = std::make_shared<Resource>();
      resource->attributes.push_back({.key = "service.name",
                                      .type = ValueType::kString,
                                      .payload = std::string(side) + " of " + name});
      Span span;
      span.trace_id = TraceOf(number);
      span.span_id.bytes = {static_cast<uint8_t>(1 + spans.size())};
      if (!spans.empty()) span.parent_span_id = spans[0].span_id;
      span.name = "work";
      span.start_ns = kStartNs + number;
      span.end_ns = span.start_ns + 10;
      std::string text;
      for (uint64_t i = 0; text.size() < padding; ++i) {
        text += std::to_string((number * 7919 + i + name.size()) * 0x9e3779b97f4a7c15);
      }
      span.attributes.push_back({.key = "text", .type = ValueType::kString, .payload = text});
      span.resource = resource;
      span.scope = scope;
      spans.push_back(span);
    }
    return EncodeSpans(spans);
  }
  void Write(const std::string& name, uint64_t number, size_t padding = 0) {
    const std::string otlp = Request(name, number, padding);
    const WriteResult result = store_->Write({.tenant = Tenant(name), .otlp = otlp});
    ASSERT_TRUE(result.status.ok()) << result.status.ToString();
    ASSERT_EQ(result.accepted_spans, 2u);
    sent_[name].insert(number);
  }
  std::set<uint64_t> Found(const std::string& name) {
    std::set<uint64_t> found;
    TraceQuery query;
    query.tenant = store_->FindTenant(name);
    query.depth = 10'000;
    const auto ids = store_->FindTraceIds(query, {});
    EXPECT_TRUE(ids.ok());
    for (const FoundTrace& trace : ids->values) {
      uint64_t number = 0;
      std::memcpy(&number, trace.trace_id.bytes.data(), sizeof number);
      found.insert(number);
    }
    return found;
  }
  // Every kind of question answers of this tenant alone, and of all that it sent.
  void ExpectAlone(const std::string& name) {
    SCOPED_TRACE(name);
    const TenantId tenant = store_->FindTenant(name);
    EXPECT_EQ(Found(name), sent_[name]);
    const bool any = !sent_[name].empty();
    const std::vector<std::string> services = {"back of " + name, "front of " + name};
    EXPECT_EQ(store_->Services(tenant, {})->values, any ? services : std::vector<std::string>());
    const auto calls = store_->Dependencies(tenant, {0, UINT64_MAX}, {});
    ASSERT_EQ(calls->values.size(), any ? 1u : 0u);
    if (any) {
      EXPECT_EQ(calls->values[0].call_count, sent_[name].size());
      EXPECT_EQ(calls->values[0].parent, "front of " + name);
    }
    const auto operations = store_->Operations(tenant, "front of " + name, -1, {});
    EXPECT_EQ(operations->values.size(), any ? 1u : 0u);
    ExpectTraces(name, tenant);
  }
  void ExpectTraces(const std::string& name, TenantId tenant) {
    std::vector<TraceId> ids;
    for (uint64_t number = 1; number <= 20; ++number) ids.push_back(TraceOf(number));
    auto cursor = store_->GetTraces(tenant, ids, {});
    std::set<TraceId> found;
    for (auto chunk = cursor->Next(); chunk.ok() && !chunk->end; chunk = cursor->Next()) {
      found.insert(chunk->trace_id);
      const auto spans = DecodeSpans(chunk->traces_data);
      ASSERT_TRUE(spans.ok());
      EXPECT_EQ(spans->size(), 2u);
      for (const Span& span : *spans) {
        EXPECT_TRUE(span.resource->service().ends_with(" of " + name));
      }
    }
    size_t expected = 0;
    for (uint64_t number = 1; number <= 20; ++number) expected += sent_[name].count(number);
    EXPECT_EQ(found.size(), expected);
  }
  uint64_t BytesOf(const std::string& name) {
    for (const TenantStatus& tenant : store_->TenantStatuses()) {
      if (tenant.name == name) return tenant.bytes;
    }
    return 0;
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::set<uint64_t>> sent_;
};

std::string Name(int number) { return "tenant " + std::to_string(number); }

TEST_F(TenantStoreTest, AHundredTenantsSeeTheirOwnAlone) {
  options_.head_bytes_max = 8 << 20;
  Open();
  uint64_t most_head_bytes = 0;
  for (uint64_t round = 1; round <= 4; ++round) {
    for (int i = 0; i < 100; ++i) {
      Write(Name(i), round);
      if (i % 10 == 0) most_head_bytes = std::max(most_head_bytes, store_->stats().head_bytes);
    }
    for (uint64_t number = 100; number < 150; ++number) Write(Name(7), round * 1000 + number, 500);
    if (round == 2) {
      ASSERT_TRUE(store_->Flush().ok());
    }
    if (round == 3) Open();
  }
  // Two heads and what one group adds: many small tables are no way around the limit.
  EXPECT_LE(most_head_bytes, 24u << 20);
  for (int pass = 0; pass < 3; ++pass) {
    for (int i = 0; i < 100; i += 9) ExpectAlone(Name(i));
    ExpectAlone(Name(7));
    EXPECT_TRUE(Found("").empty());
    EXPECT_TRUE(Found("never heard of").empty());
    if (pass == 0) clock_.Advance(601 * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
    if (pass == 1) Open();
  }
  // Small segments of the closed partition are merged: one for each tenant.
  EXPECT_EQ(store_->stats().segments, 100u);
  EXPECT_EQ(store_->TenantStatuses().size(), 101u);
}

// An active tenant must not cost a head of full size: or a few of them end generations all the
// time.
TEST_F(TenantStoreTest, TheHeadOfATenantThatSentLittleIsSmall) {
  constexpr int kTenants = 200;
  for (int i = 0; i < kTenants; ++i) Write(Name(i), 1, 100);
  EXPECT_LE(store_->stats().head_bytes, kTenants * (32u << 10));
  EXPECT_EQ(store_->stats().head_rows, 2u * kTenants);  // none was ended
  ExpectAlone(Name(7));
}

TEST_F(TenantStoreTest, AHundredTenantsKeepTheirOwnLimits) {
  constexpr uint64_t kQuota = 32 << 10;
  constexpr uint64_t kRounds = 8;
  const auto is_generous = [](int i) { return i % 10 == 0; };
  options_.retention_ms = 3'600'000;
  options_.tenants.each.disk_bytes_max = kQuota;
  for (int i = 0; i < 100; i += 10) {
    options_.tenants.by_name.emplace_back(
        Name(i), TenantLimits{.retention_ms = 36'000'000, .disk_bytes_max = 1 << 30});
  }
  Open();
  for (uint64_t number = 1; number <= kRounds; ++number) {
    for (int i = 0; i < 100; ++i) Write(Name(i), number, 8000);
    ASSERT_TRUE(store_->Flush().ok());
    ASSERT_TRUE(store_->Settle().ok());
  }
  for (int i = 0; i < 100; ++i) {
    SCOPED_TRACE(Name(i));
    const std::set<uint64_t> kept = Found(Name(i));
    ASSERT_FALSE(kept.empty());
    if (is_generous(i)) {
      EXPECT_EQ(kept.size(), kRounds);
      continue;
    }
    EXPECT_LE(BytesOf(Name(i)), kQuota);
    EXPECT_LT(kept.size(), kRounds);
    EXPECT_EQ(kept.size(), kRounds - *kept.begin() + 1);  // the newest, without a hole
    sent_[Name(i)] = kept;
  }
  for (int i = 0; i < 100; i += 9) ExpectAlone(Name(i));
  for (const uint64_t seconds : {601u, 3601u}) {
    clock_.Advance(seconds * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
  for (int i = 0; i < 100; ++i) {
    if (!is_generous(i)) sent_[Name(i)].clear();
    EXPECT_EQ(Found(Name(i)), sent_[Name(i)]) << Name(i);
  }
  Open();
  for (int i = 0; i < 100; i += 9) ExpectAlone(Name(i));
}

TEST_F(TenantStoreTest, EqualRequestsOfTwoTenantsAreNoRetries) {
  const std::string otlp = Request("both", 1, 0);
  ASSERT_TRUE(store_->Write({.tenant = Tenant("a"), .otlp = otlp}).status.ok());
  ASSERT_TRUE(store_->Write({.tenant = Tenant("b"), .otlp = otlp}).status.ok());
  EXPECT_EQ(store_->stats().spans_duplicate, 0u);
  ASSERT_TRUE(store_->Write({.tenant = Tenant("a"), .otlp = otlp}).status.ok());
  EXPECT_EQ(store_->stats().spans_duplicate, 2u);
}

TEST_F(TenantStoreTest, APurgeTakesOneTenantAndNoOther) {
  for (uint64_t number = 1; number <= 10; ++number) {
    for (const char* name : {"a", "b"}) Write(name, number);
    if (number == 3 || number == 6) {
      ASSERT_TRUE(store_->Flush().ok());
    }
    if (number == 4) clock_.Advance(601 * kSecondNs);
  }
  ASSERT_TRUE(store_->PurgeTenant(store_->FindTenant("a")).ok());
  sent_["a"].clear();
  EXPECT_EQ(BytesOf("a"), 0u);
  for (int pass = 0; pass < 2; ++pass) {
    ExpectAlone("a");
    ExpectAlone("b");
    Open();
  }
  // What was sent before is no retry any more.
  Write("a", 5);
  ExpectAlone("a");
  Open();
  ExpectAlone("a");
  std::vector<std::string> faults;
  EXPECT_TRUE(store_->Verify(&faults).ok());
  EXPECT_TRUE(faults.empty()) << faults.front();
}

TEST_F(TenantStoreTest, EachTenantHasItsRetention) {
  options_.retention_ms = 3'600'000;
  options_.tenants.by_name.emplace_back("short", TenantLimits{.retention_ms = 1'200'000});
  options_.tenants.by_name.emplace_back("long", TenantLimits{.retention_ms = 36'000'000});
  Open();
  for (const char* name : {"short", "usual", "long"}) {
    for (uint64_t number = 1; number <= 3; ++number) Write(name, number);
  }
  ASSERT_TRUE(store_->Flush().ok());
  const auto pass = [this](uint64_t seconds) {
    clock_.Advance(seconds * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
    for (const char* name : {"short", "usual", "long"}) ExpectAlone(name);
  };
  pass(601);  // the partition closes
  pass(1190);
  sent_["short"].clear();
  pass(20);
  Open();
  pass(2380);
  sent_["usual"].clear();
  pass(20);
  EXPECT_EQ(store_->stats().partitions, 1u);
  Open();
  pass(30'000);
  sent_["long"].clear();
  pass(3'000);
  EXPECT_EQ(store_->stats().partitions, 0u);
}

TEST_F(TenantStoreTest, AboveItsQuotaATenantLosesItsOldestSpans) {
  constexpr uint64_t kQuota = 64 << 10;
  options_.tenants.by_name.emplace_back("big", TenantLimits{.disk_bytes_max = kQuota});
  Open();
  for (uint64_t number = 1; number <= 60; ++number) {
    Write("big", number, 10'000);
    if (number % 6 == 0) Write("small", number);
    ASSERT_TRUE(store_->Flush().ok());
    ASSERT_TRUE(store_->Settle().ok());
    EXPECT_LE(BytesOf("big"), kQuota + (16u << 10));
    clock_.Advance(100 * kSecondNs);
  }
  ExpectAlone("small");
  const std::set<uint64_t> kept = Found("big");
  ASSERT_FALSE(kept.empty());
  EXPECT_LT(kept.size(), 30u);
  EXPECT_EQ(*kept.rbegin(), 60u);
  EXPECT_EQ(kept.size(), 60 - *kept.begin() + 1);  // the newest, without a hole
  Open();
  EXPECT_EQ(Found("big"), kept);
}

TEST_F(TenantStoreTest, AQueryKeepsWhatItsTenantsLimitsTake) {
  options_.tenants.by_name.emplace_back("a", TenantLimits{.retention_ms = 600'000});
  Open();
  for (uint64_t number = 1; number <= 10; ++number) {
    for (const char* name : {"a", "b"}) Write(name, number);
  }
  ASSERT_TRUE(store_->Flush().ok());
  std::vector<TraceId> ids;
  for (uint64_t number = 1; number <= 10; ++number) ids.push_back(TraceOf(number));
  Open();
  auto cursor = store_->GetTraces(store_->FindTenant("a"), ids, {});
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(601 * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
  EXPECT_TRUE(Found("a").empty());
  size_t traces = 0;
  for (auto chunk = cursor->Next(); chunk.ok() && !chunk->end; chunk = cursor->Next()) ++traces;
  EXPECT_EQ(traces, 10u);
  EXPECT_TRUE(cursor->gaps().empty());
  EXPECT_GT(BytesOf("b"), 0u);
  cursor.reset();
  ASSERT_TRUE(store_->Settle().ok());
  ExpectAlone("b");
}

class ArchiveTest : public TenantStoreTest {
 protected:
  Status Archive(const std::string& name, uint64_t number) {
    const std::string otlp = Request(name, number, 200);
    const WriteResult result = store_->Write({.tenant = ArchiveOf(Tenant(name)), .otlp = otlp});
    EXPECT_EQ(result.accepted_spans, result.status.ok() ? 2u : 0u);
    return result.status;
  }
  uint64_t ArchivedTraces(const std::string& name) {
    TraceQuery query;
    query.tenant = ArchiveOf(store_->FindTenant(name));
    query.depth = 10'000;
    return store_->FindTraceIds(query, {})->values.size();
  }
};

TEST_F(ArchiveTest, IsADataSetOfItsOwnThatNothingExpires) {
  options_.retention_ms = 1'200'000;
  Open();
  for (uint64_t number = 1; number <= 5; ++number) {
    for (const char* name : {"a", "b"}) Write(name, number, 200);
  }
  for (uint64_t number = 3; number <= 8; ++number) ASSERT_TRUE(Archive("a", number).ok());
  for (int pass = 0; pass < 3; ++pass) {
    for (const char* name : {"a", "b"}) ExpectAlone(name);
    EXPECT_EQ(ArchivedTraces("a"), 6u);
    EXPECT_EQ(ArchivedTraces("b"), 0u);
    if (pass == 0) {
      ASSERT_TRUE(store_->Flush().ok());
    }
    if (pass == 1) Open();
  }
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(601 * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
  sent_.clear();
  for (const char* name : {"a", "b"}) ExpectAlone(name);
  EXPECT_EQ(ArchivedTraces("a"), 6u);
  EXPECT_EQ(store_->stats().partitions, 0u);
  EXPECT_EQ(store_->stats().archive_rows, 12u);
  ASSERT_TRUE(store_->PurgeTenant(store_->FindTenant("a")).ok());
  EXPECT_EQ(ArchivedTraces("a"), 0u);
  EXPECT_EQ(store_->stats().archive_rows, 0u);
}

// The archive's generation is the older one, and ends after the other.
TEST_F(ArchiveTest, APurgeTakesWhatCameAfterTheArchivesGenerationBegan) {
  ASSERT_TRUE(Archive("a", 1).ok());
  Write("a", 2);
  ASSERT_TRUE(store_->PurgeTenant(store_->FindTenant("a")).ok());
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_TRUE(Found("a").empty());
    EXPECT_EQ(ArchivedTraces("a"), 0u);
    Open();
  }
}

TEST_F(ArchiveTest, ATraceThatIsArchivedAgainIsStoredOnce) {
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(Archive("a", 1).ok());
    ASSERT_TRUE(store_->Flush().ok());
    EXPECT_EQ(store_->stats().archive_rows, 2u);
    // Neither time nor a restart makes it forget.
    clock_.Advance(3601 * kSecondNs);
    if (round % 2 == 0) Open();
  }
  // Half of it is known.
  const auto spans = DecodeSpans(Request("a", 1, 200));
  const auto more = DecodeSpans(Request("a", 2, 200));
  const std::string otlp = EncodeSpans({spans->front(), more->front()});
  const WriteResult written = store_->Write({.tenant = ArchiveOf(Tenant("a")), .otlp = otlp});
  EXPECT_EQ(written.accepted_spans, 2u);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(store_->stats().archive_rows, 3u);
}

// What the archive has is looked up on a thread of the store, never on that of a caller, who may
// have others to serve.
TEST_F(ArchiveTest, ACallerDoesNotWaitForTheLookUp) {
  ASSERT_TRUE(Archive("a", 1).ok());
  const std::string otlp = Request("a", 1, 200);
  std::promise<std::thread::id> answered_on;
  store_->WriteAsync({.tenant = ArchiveOf(Tenant("a")), .otlp = otlp}, [&](WriteResult result) {
    EXPECT_EQ(result.accepted_spans, 2u);
    answered_on.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(answered_on.get_future().get(), std::this_thread::get_id());
}

TEST_F(ArchiveTest, WhatWaitsWhenTheStoreClosesIsArchived) {
  std::vector<std::string> requests;
  for (uint64_t number = 1; number <= 20; ++number) requests.push_back(Request("a", number, 200));
  std::atomic<int> stored{0};
  const TenantId archive = ArchiveOf(Tenant("a"));
  for (const std::string& request : requests) {
    store_->WriteAsync({.tenant = archive, .otlp = request}, [&](const WriteResult& result) {
      if (result.status.ok()) ++stored;
    });
  }
  Open();
  EXPECT_EQ(stored, 20);
  EXPECT_EQ(ArchivedTraces("a"), 20u);
}

// Without a cap of its own it may hold half of what may be on disk in all.
TEST_F(ArchiveTest, ACapOfTheDiskLeavesRoomForIt) {
  options_.disk_bytes_max = 1ull << 30;
  Open();
  EXPECT_TRUE(Archive("a", 1).ok());
}

TEST_F(ArchiveTest, ALookUpBeyondTheMemoryOfAQueryIsLeftOut) {
  options_.query_memory_bytes_max = 10'000;
  Open();
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(Archive("a", 1).ok());
    clock_.Advance(601 * kSecondNs);  // so that the request is not known as such
  }
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(ArchivedTraces("a"), 1u);  // reads leave out what came twice
  EXPECT_EQ(store_->stats().query_bytes, 0u);
}

TEST_F(ArchiveTest, SmallSegmentsAreMergedForEver) {
  for (uint64_t number = 1; number <= 70; ++number) {
    ASSERT_TRUE(Archive("a", number).ok());
    ASSERT_TRUE(store_->Flush().ok());
    if (number % 16 == 0) {
      ASSERT_TRUE(store_->Settle().ok());
    }
  }
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(ArchivedTraces("a"), 70u);
  EXPECT_LE(store_->stats().segments, 30u);
}

TEST_F(ArchiveTest, AFullOneRefusesAndKeepsWhatItHas) {
  options_.archive_bytes_max = 20'000;
  Open();
  Status refused;
  uint64_t number = 0;
  while (refused.ok() && number < 100) {
    refused = Archive("a", ++number);
    ASSERT_TRUE(store_->Flush().ok());
  }
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ArchivedTraces("a"), number - 1);
  EXPECT_TRUE(Archive("a", 1).ok());  // it is there already
  Write("a", 1);
  ExpectAlone("a");
}

}  // namespace
}  // namespace larder
