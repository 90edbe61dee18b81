#include "storage/query/cold/cold_part.h"

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/page/page_writer.h"
#include "tests/support/hex_examples.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kHourNs = 3600 * kSecondNs;

TEST(ColdPartFormat, ThePageTellsTheTruth) {
  const std::vector<std::string> examples = HexExamples(LARDER_COLD_PAGE);
  ASSERT_EQ(examples.size(), 2u);
  ColdFacts facts;
  uint32_t version = 0;
  ASSERT_TRUE(DecodeColdFacts(examples[0], &version, &facts));
  EXPECT_EQ(version, kColdPartVersion);
  EXPECT_EQ(facts.part_id, 9u);
  EXPECT_EQ(facts.partition, 3u);
  EXPECT_EQ(facts.tenant, 5u);
  EXPECT_EQ(facts.rows, 2u);
  EXPECT_EQ(facts.start.min_ns, kSecondNs);
  EXPECT_EQ(facts.start.max_ns, 2 * kSecondNs);
  EXPECT_EQ(facts.arrival_max_ns, 3 * kSecondNs);
  EXPECT_EQ(facts.filed, (FiledTimes{.min_s = 1, .max_s = 2}));
  EXPECT_EQ(facts.segment_ids, std::vector<uint64_t>{7});
  EXPECT_EQ(facts.hours, (std::vector<ColdHour>{{0, 2}}));
  EXPECT_EQ(facts.operations, (std::vector<ColdOperation>{{"pay", {"get", 2}}}));
  EXPECT_EQ(EncodeColdFacts(facts), examples[0]);
  std::vector<ColdCall> calls;
  ASSERT_TRUE(DecodeColdCalls(examples[1], &calls));
  EXPECT_EQ(calls, (std::vector<ColdCall>{{100, "front", "pay", 7}, {101, "front", "pay", 2}}));
  EXPECT_EQ(EncodeColdCalls(calls), examples[1]);
}

TEST(ColdPartFormat, CutBytesAreRefused) {
  const std::vector<std::string> examples = HexExamples(LARDER_COLD_PAGE);
  for (size_t i = 0; i < examples[0].size(); ++i) {
    ColdFacts facts;
    uint32_t version = 0;
    EXPECT_FALSE(DecodeColdFacts(examples[0].substr(0, i), &version, &facts)) << i;
  }
  for (size_t i = 0; i < examples[1].size(); ++i) {
    std::vector<ColdCall> calls;
    EXPECT_FALSE(DecodeColdCalls(examples[1].substr(0, i), &calls)) << i;
  }
}

class ColdPartTest : public testing::Test {
 protected:
  // A segment of `traces` traces of two spans each, an hour apart.
  void AddSegment(uint64_t id, uint64_t first_trace, uint64_t traces) {
    std::vector<Span> spans;
    for (uint64_t i = first_trace; i < first_trace + traces; ++i) {
      Span span;
      span.trace_id = TraceOf(i);
      span.span_id.bytes.fill(1);
      span.name = "op";
      span.resource = std::make_shared<Resource>();
      span.scope = std::make_shared<Scope>();
      span.start_ns = i % 3 * 10 * kHourNs + 5 * kSecondNs;
      span.end_ns = span.start_ns + 1;
      spans.push_back(span);
      span.span_id.bytes.fill(2);
      span.start_ns += kSecondNs;
      spans.push_back(span);
    }
    AddSegmentOf(id, spans);
  }

  void AddSegmentOf(uint64_t id, const std::vector<Span>& spans) {
    SpanTable table;
    ASSERT_TRUE(table.Append(EncodeSpans(spans), AppendLimits::None()).ok());
    table.Publish();
    segments_.push_back(
        StoreSegment(table, {.segment_id = id, .arrival_min_ns = 1, .arrival_max_ns = 2}, &cache_));
  }

  static TraceId TraceOf(uint64_t number) {
    TraceId id;
    for (size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<uint8_t>(number >> (i % 4 * 8));
    id.bytes[0] |= 1;
    return id;
  }

  std::shared_ptr<const ColdPart> Write(uint64_t traces_per_pass) {
    ColdPartOptions options;
    options.facts.part_id = 9;
    options.facts.partition = 3;
    options.calls = {{101, "a", "b", -1}, {100, "a", "b", 4}};
    options.traces_per_pass = traces_per_pass;
    MapPageStore pages;
    EXPECT_TRUE(WriteColdPart(segments_, options, &pages).ok());
    auto part = ColdPart::Open(pages.Source(), &cache_);
    EXPECT_TRUE(part.ok()) << part.status().ToString();
    return *part;
  }

  PageCache cache_{1 << 20};
  std::vector<std::shared_ptr<const Segment>> segments_;
};

TEST_F(ColdPartTest, KnowsEveryTraceInOneShardOrMany) {
  AddSegment(41, 0, 300);
  AddSegment(42, 200, 300);
  for (const uint64_t per_pass : {uint64_t{1} << 20, uint64_t{100}}) {
    const auto part = Write(per_pass);
    EXPECT_EQ(part->facts().shards.bits > 0, per_pass == 100);
    EXPECT_EQ(part->facts().rows, 1200u);
    for (uint64_t i = 0; i < 500; ++i) {
      std::vector<ColdPlace> found;
      ASSERT_TRUE(part->FindTrace(TraceOf(i), &found).ok());
      std::vector<ColdPlace> expected;
      if (i < 300) expected.push_back({41, 2});
      if (i >= 200) expected.push_back({42, 2});
      EXPECT_EQ(found, expected) << i;
    }
    for (uint64_t i = 1000; i < 20'000; ++i) {
      std::vector<ColdPlace> found;
      ASSERT_TRUE(part->FindTrace(TraceOf(i), &found).ok());
      EXPECT_TRUE(found.empty()) << i;
    }
    std::vector<std::string> faults;
    EXPECT_TRUE(part->Verify(&faults).ok());
    EXPECT_TRUE(faults.empty());
  }
}

// Places were segments alone, and nobody counted.
TEST_F(ColdPartTest, ReadsAPartOfVersion1) {
  ColdFacts facts;
  facts.segment_ids = {41, 42};
  facts.shards.chunk_counts = {1};
  std::string body = EncodeColdFacts(facts);
  body[0] = 1;
  PageWriter writer(1);
  writer.Add(kColdFactsKey, body);
  writer.Add(TraceShards::KeyOf(0, 0), EncodeTraceIndex({{TraceIdHash(TraceOf(5)), 0},
                                                         {TraceIdHash(TraceOf(5)), 1},
                                                         {TraceIdHash(TraceOf(6)), 1}},
                                                        24)[0]);
  MapPageStore pages;
  ASSERT_TRUE(writer.Flush(&pages).ok());
  const auto part = ColdPart::Open(pages.Source(), &cache_);
  ASSERT_TRUE(part.ok()) << part.status().ToString();
  std::vector<ColdPlace> found;
  ASSERT_TRUE((*part)->FindTrace(TraceOf(5), &found).ok());
  EXPECT_EQ(found, (std::vector<ColdPlace>{{41, 0}, {42, 0}}));
}

// As the tier gives them back: spans with one id count once, and above the most that is written
// there are so many at least.
TEST_F(ColdPartTest, CountsTheSpanIdsOfATrace) {
  std::vector<Span> spans;
  for (uint64_t i = 0; i < 2 * kColdSpansMax; ++i) {
    Span span;
    span.trace_id = TraceOf(i % 2);
    const uint64_t number = i % 2 == 0 ? i : i % 20 + 1;
    for (size_t byte = 0; byte < 8; ++byte) {
      span.span_id.bytes[byte] = static_cast<uint8_t>((number + 1) >> (8 * byte));
    }
    span.name = "op" + std::to_string(i % 7);
    span.resource = std::make_shared<Resource>();
    span.scope = std::make_shared<Scope>();
    spans.push_back(span);
  }
  spans.resize(spans.size() + 5, spans[0]);
  AddSegmentOf(41, spans);
  const auto part = Write(1 << 20);
  std::vector<ColdPlace> found;
  ASSERT_TRUE(part->FindTrace(TraceOf(0), &found).ok());
  ASSERT_TRUE(part->FindTrace(TraceOf(1), &found).ok());
  EXPECT_EQ(found, (std::vector<ColdPlace>{{41, kColdSpansMax}, {41, 10}}));
}

TEST_F(ColdPartTest, KnowsInWhichHoursSpansStart) {
  AddSegment(41, 0, 30);
  const auto part = Write(1 << 20);
  ASSERT_EQ(part->facts().hours.size(), 3u);
  EXPECT_TRUE(part->MayStartIn({0, UINT64_MAX}));
  EXPECT_TRUE(part->MayStartIn({10 * kHourNs, 10 * kHourNs + 30 * kSecondNs}));
  EXPECT_FALSE(part->MayStartIn({kHourNs, 10 * kHourNs - 1}));
  EXPECT_FALSE(part->MayStartIn({11 * kHourNs, 20 * kHourNs - 1}));
  EXPECT_FALSE(part->MayStartIn({21 * kHourNs, UINT64_MAX}));
  std::vector<ColdCall> calls;
  ASSERT_TRUE(part->Calls(&calls).ok());
  EXPECT_EQ(calls, (std::vector<ColdCall>{{100, "a", "b", 4}, {101, "a", "b", -1}}));
}

}  // namespace
}  // namespace larder
