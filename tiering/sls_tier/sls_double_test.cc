// The client and the tier against a server that speaks SLS: LARDER_SLS_ENDPOINT names it, with the
// project, key and Logstore names that tests/sls_double has. tests/e2e/test_sls_tier.py runs this.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/span_generator.h"
#include "tiering/row/row_test_support.h"
#include "tiering/sls_tier/sls_check.h"
#include "tiering/sls_tier/sls_index.h"
#include "tiering/sls_tier/sls_tier.h"

namespace larder {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kDay = 24 * 3600 * kSecond;

TierOptions Options(const std::string& logstore, SlsSignature signature = SlsSignature::kV1) {
  const char* endpoint = std::getenv("LARDER_SLS_ENDPOINT");
  LARDER_CHECK(endpoint != nullptr);
  TierOptions options;
  options.kind = TierKind::kSls;
  options.sls.endpoint = endpoint;
  options.sls.project = "larder";
  options.sls.logstore = logstore;
  options.sls.access_key_id = "test-id";
  options.sls.access_key_secret = "test-secret";
  options.sls.signature = signature;
  options.sls.region = "cn-hangzhou";
  options.sls.create = true;
  return options;
}

// Makes the Logstore.
void Prepare(const TierOptions& options) {
  const auto client = SlsClient::Make(options.sls);
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  for (const TierCheckStep& step : CheckSlsTier(options, client->get())) {
    ASSERT_TRUE(step.status.ok()) << step.what << ": " << step.status.ToString();
  }
}

class Collected : public ColdRows {
 public:
  Status Add(uint64_t segment, std::string_view traces_data) override {
    segments.insert(segment);
    auto found = DecodeSpans(traces_data);
    if (!found.ok()) return found.status();
    spans.insert(spans.end(), found->begin(), found->end());
    return Status::Ok();
  }
  bool Has(const Span& span) const {
    return std::find(spans.begin(), spans.end(), span) != spans.end();
  }
  std::vector<Span> spans;
  std::set<uint64_t> segments;
};

// Spans around now, their pieces, and the pack that they make.
struct Packed {
  std::vector<Span> spans;
  std::vector<OwnedPieces> pieces;
  Pack pack;
};
Packed MakePack(uint64_t segment, uint32_t count, uint64_t start_ns) {
  static Random random(TestSeed());
  SpanGenerator generator(&random, {.start_ns = start_ns, .duplicate_one_in = 0});
  Packed packed;
  packed.spans = generator.Batch(count);
  for (const Span& span : packed.spans) packed.pieces.push_back(PiecesOf(span));
  packed.pack.id = {.segment = segment, .first_row = 0};
  for (size_t i = 0; i < packed.spans.size(); ++i) {
    const OwnedPieces& pieces = packed.pieces[i];
    packed.pack.spans.push_back({packed.spans[i].trace_id, packed.spans[i].start_ns,
                                 pieces.resource, pieces.scope, pieces.span});
  }
  return packed;
}

uint64_t Now() { return Clock::System().NowUnixNanos(); }

uint64_t CountSpans(ColdTier* tier, const ColdScope& scope, TimeRange start) {
  const auto count = tier->CountSpans(scope, start, {});
  EXPECT_TRUE(count.ok()) << count.status().ToString();
  return count.ok() && count->has_value() ? **count : 0;
}

class SlsTierCheck : public testing::TestWithParam<SlsSignature> {
 protected:
  // Uploads, and waits until the tier says that all of it can be read.
  static void Upload(ColdTier* tier, ColdScope* scope, const Packed& packed) {
    const auto receipt = tier->Upload(*scope, packed.pack, {});
    ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
    scope->filed.Add(receipt->filed);
    uint32_t spans = 0;
    for (const uint32_t part : receipt->parts) spans += part;
    EXPECT_EQ(spans + receipt->refused.size(), packed.spans.size());
    for (int tries = 0; tries < 600; ++tries) {
      const auto verified = tier->Verify(*scope, packed.pack.id, *receipt, {});
      ASSERT_TRUE(verified.ok()) << verified.status().ToString();
      if (*verified) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << "the upload is never verified";
  }
};

TEST_P(SlsTierCheck, WhatIsUploadedIsReadBackByIdAndBySearch) {
  const TierOptions options =
      Options(GetParam() == SlsSignature::kV1 ? "check-v1" : "check-v4", GetParam());
  Prepare(options);
  auto tier = OpenSlsTier(options);
  ASSERT_TRUE(tier.ok()) << tier.status().ToString();
  ColdScope scope{.store = 1, .partition = 2, .tenant = 0};
  const Packed packed = MakePack(7, 600, Now() - kDay);
  Upload(tier->get(), &scope, packed);

  Collected by_id;
  for (const Span& span : packed.spans) {
    if (by_id.Has(span)) continue;
    const Status status =
        (*tier)->ReadTraces(scope, {{.trace_id = span.trace_id, .segments = {}}}, {}, &by_id);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_TRUE(by_id.Has(span));
    if (by_id.spans.size() > 300) break;
  }
  EXPECT_EQ(by_id.segments, std::set<uint64_t>{7});
  EXPECT_EQ(CountSpans(tier->get(), scope, {}), 600U);
  const uint64_t middle_ns = packed.spans[300].start_ns;
  EXPECT_EQ(CountSpans(tier->get(), scope, {0, middle_ns}) +
                CountSpans(tier->get(), scope, {middle_ns + 1000, UINT64_MAX}),
            600U);

  // Every span that has the name, whatever else is answered.
  FilterNode filter;
  filter.op = FilterOp::kEq;
  filter.left = FieldRef{Field::kName};
  filter.right = Constant{.type = Constant::Type::kString, .text = packed.spans[0].name};
  Collected by_name;
  const auto complete = (*tier)->Search(
      scope, {.filter = &filter, .start = {}, .rows_wanted = 1'000'000}, {}, &by_name);
  ASSERT_TRUE(complete.ok()) << complete.status().ToString();
  EXPECT_EQ(*complete, 0U);
  for (const Span& span : packed.spans) {
    EXPECT_TRUE(span.name != packed.spans[0].name || by_name.Has(span));
  }

  // Step by step from the newest, nothing is missing either.
  const FilterNode all;
  Collected in_steps;
  TimeRange range;
  int steps = 0;
  while (true) {
    const auto from =
        (*tier)->Search(scope, {.filter = &all, .start = range, .rows_wanted = 100}, {}, &in_steps);
    ASSERT_TRUE(from.ok()) << from.status().ToString();
    if (*from <= range.min_ns) break;
    ASSERT_LE(*from, range.max_ns);
    range.max_ns = *from - 1;
    ASSERT_LT(++steps, 100);
  }
  for (const Span& span : packed.spans) EXPECT_TRUE(in_steps.Has(span));
}

TEST_P(SlsTierCheck, ScopesSeeNothingOfEachOther) {
  const TierOptions options = Options("check-scopes", GetParam());
  Prepare(options);
  auto tier = OpenSlsTier(options);
  ASSERT_TRUE(tier.ok());
  ColdScope mine{.store = 1, .partition = static_cast<uint64_t>(GetParam()), .tenant = 1};
  const Packed packed = MakePack(1, 20, Now() - kDay);
  Upload(tier->get(), &mine, packed);
  ColdScope other = mine;
  other.tenant = 2;
  Collected none;
  ASSERT_TRUE(
      (*tier)
          ->ReadTraces(other, {{.trace_id = packed.spans[0].trace_id, .segments = {}}}, {}, &none)
          .ok());
  const FilterNode all;
  ASSERT_TRUE((*tier)->Search(other, {.filter = &all, .start = {}}, {}, &none).ok());
  EXPECT_TRUE(none.spans.empty());
}

TEST_P(SlsTierCheck, SegmentsThatWereTakenBackAreNotRead) {
  const TierOptions options = Options("check-segments", GetParam());
  Prepare(options);
  auto tier = OpenSlsTier(options);
  ASSERT_TRUE(tier.ok());
  ColdScope scope{.store = 1, .partition = 60 + static_cast<uint64_t>(GetParam()), .tenant = 0};
  const Packed gone = MakePack(1, 20, Now() - kDay);
  const Packed kept = MakePack(2, 20, Now() - kDay);
  Upload(tier->get(), &scope, gone);
  Upload(tier->get(), &scope, kept);
  scope.segments = std::make_shared<const std::vector<uint64_t>>(std::vector<uint64_t>{2});
  const FilterNode all;
  Collected found;
  ASSERT_TRUE((*tier)
                  ->Search(scope, {.filter = &all, .start = {}, .rows_wanted = 10'000}, {}, &found)
                  .ok());
  for (const Span& span : kept.spans) {
    const std::vector<ColdTrace> traces = {{.trace_id = span.trace_id, .segments = {}}};
    ASSERT_TRUE((*tier)->ReadTraces(scope, traces, {}, &found).ok());
    EXPECT_TRUE(found.Has(span));
  }
  for (const Span& span : gone.spans) {
    const std::vector<ColdTrace> traces = {{.trace_id = span.trace_id, .segments = {}}};
    ASSERT_TRUE((*tier)->ReadTraces(scope, traces, {}, &found).ok());
    EXPECT_FALSE(found.Has(span));
  }
}

TEST_P(SlsTierCheck, SpansTooOldForSlsAreFiledUnderTheTimeOfTheUpload) {
  TierOptions options = Options("check-old", GetParam());
  Prepare(options);
  auto tier = OpenSlsTier(options);
  ASSERT_TRUE(tier.ok());
  ColdScope scope{.store = 1, .partition = 30 + static_cast<uint64_t>(GetParam()), .tenant = 0};
  const Packed packed = MakePack(1, 50, Now() - 30 * kDay);
  Upload(tier->get(), &scope, packed);
  EXPECT_GT(scope.filed.max_s, (Now() - kDay) / kSecond);
  const FilterNode all;
  Collected found;
  const TimeRange range{.min_ns = Now() - 31 * kDay, .max_ns = Now() - 29 * kDay};
  ASSERT_TRUE((*tier)->Search(scope, {.filter = &all, .start = range}, {}, &found).ok());
  for (const Span& span : packed.spans) {
    EXPECT_TRUE(!range.contains(span.start_ns) || found.Has(span));
  }
  EXPECT_EQ(CountSpans(tier->get(), scope, {}), 50U);
  options.old_rows = TierOldRows::kKeep;
  auto keeper = OpenSlsTier(options);
  const auto receipt = (*keeper)->Upload(scope, packed.pack, {});
  ASSERT_TRUE(receipt.ok());
  EXPECT_GT(receipt->refused.size(), 40U);
}

TEST_P(SlsTierCheck, AnIndexOfOthersIsLeftAsItIsAndUsedAsFarAsItGoes) {
  const TierOptions options =
      Options(GetParam() == SlsSignature::kV1 ? "check-console1" : "check-console4", GetParam());
  const auto client = SlsClient::Make(options.sls);
  ASSERT_TRUE(client.ok());
  const std::string index =
      R"({"keys":{"traceID":{"type":"text","token":[],"caseSensitive":false}}})";
  ASSERT_TRUE((*client)->CreateLogstore({.name = options.sls.logstore}, {}).ok());
  ASSERT_TRUE((*client)->CreateIndex(options.sls.logstore, index, {}).ok());
  const auto before = (*client)->GetIndex(options.sls.logstore, {});
  Prepare(options);
  EXPECT_EQ(*(*client)->GetIndex(options.sls.logstore, {}), *before);
  auto tier = OpenSlsTier(options);
  ColdScope scope{.store = 1, .partition = 1, .tenant = 0};
  const Packed packed = MakePack(1, 150, Now() - kDay);
  Upload(tier->get(), &scope, packed);
  Collected found;
  ASSERT_TRUE(
      (*tier)
          ->ReadTraces(scope, {{.trace_id = packed.spans[0].trace_id, .segments = {}}}, {}, &found)
          .ok());
  EXPECT_TRUE(found.Has(packed.spans[0]));
  EXPECT_FALSE((*tier)->CountSpans(scope, {}, {})->has_value()) << "it cannot tell";
  const FilterNode all;
  ASSERT_TRUE((*tier)
                  ->Search(scope, {.filter = &all, .start = {}, .rows_wanted = 10'000}, {}, &found)
                  .ok());
  for (const Span& span : packed.spans) EXPECT_TRUE(found.Has(span));
}

TEST_P(SlsTierCheck, LogsArePulledFromTheirShards) {
  const TierOptions options = Options("check-pull", GetParam());
  Prepare(options);
  const auto client = SlsClient::Make(options.sls);
  SlsLogGroup group{.logs = {{.time_s = static_cast<uint32_t>(Now() / kSecond),
                              .contents = {{"n", std::to_string(static_cast<int>(GetParam()))}}}}};
  ASSERT_TRUE((*client)
                  ->PutLogs(options.sls.logstore, EncodeLogGroup(group),
                            "0123456789abcdef0123456789abcdef", {})
                  .ok());
  const auto shards = (*client)->ListShards(options.sls.logstore, {});
  ASSERT_TRUE(shards.ok()) << shards.status().ToString();
  bool is_found = false;
  for (const SlsShard& shard : *shards) {
    auto cursor = (*client)->GetCursor(options.sls.logstore, shard.id, "begin", {});
    ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
    const auto pulled = (*client)->PullLogs(options.sls.logstore, shard.id, *cursor, 100, {});
    ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
    for (const SlsLogGroup& one : pulled->groups) is_found |= one.logs == group.logs;
  }
  EXPECT_TRUE(is_found);
  const auto rows = (*client)->GetLogs(options.sls.logstore, {.from_s = 1, .to_s = 2}, {});
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
}

INSTANTIATE_TEST_SUITE_P(Signatures, SlsTierCheck,
                         testing::Values(SlsSignature::kV1, SlsSignature::kV4));

}  // namespace
}  // namespace larder
