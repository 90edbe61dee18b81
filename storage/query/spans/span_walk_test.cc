#include "storage/query/spans/span_walk.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/query/faulty_source_for_test.h"
#include "storage/query/query_engine.h"
#include "storage/query/spans/span_page.h"
#include "storage/segment/segment.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/seed.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

SpanKey KeyOf(const Span& span) {
  return {span.start_ns, span.duration_ns(), span.trace_id, span.span_id};
}

Span MakeSpan(uint64_t start_ns, uint64_t duration_ns, uint8_t trace, uint8_t id,
              const std::string& name = "op") {
  static const auto kResource = std::make_shared<const Resource>();
  static const auto kScope = std::make_shared<const Scope>();
  Span span;
  span.trace_id.bytes[0] = trace;
  span.trace_id.bytes[15] = 1;
  span.span_id.bytes[0] = id;
  span.span_id.bytes[7] = 1;
  span.name = name;
  span.start_ns = start_ns;
  span.end_ns = start_ns + duration_ns;
  span.resource = kResource;
  span.scope = kScope;
  return span;
}

FilterNode FieldIs(Field field, const std::string& text) {
  return FilterNode::Leaf(FilterOp::kEq, FieldRef{field},
                          Constant{.type = Constant::Type::kString, .text = text});
}

class SpanWalkTest : public testing::Test {
 protected:
  static std::shared_ptr<SpanTable> MakeTable(const std::vector<Span>& spans) {
    auto table = std::make_shared<SpanTable>();
    EXPECT_TRUE(table->Append(EncodeSpans(spans), AppendLimits()).ok());
    table->Publish();
    return table;
  }

  void AddHead(const std::vector<Span>& spans, const SourceFaults& faults = {}) {
    SourceEntry entry;
    entry.source = std::make_shared<FaultySource>(MakeTableSource(MakeTable(spans)), faults);
    AddEntry(std::move(entry));
  }

  void AddSegment(const std::vector<Span>& spans) {
    SourceEntry entry;
    entry.segment = StoreSegment(*MakeTable(spans), {}, &cache_);
    entry.source = entry.segment;
    AddEntry(std::move(entry));
  }

  void AddEntry(SourceEntry entry) {
    entry.id = view_->entries.size();
    entry.name = "source " + std::to_string(entry.id);
    view_->entries.push_back(std::move(entry));
  }

  struct Page {
    std::vector<Span> spans;
    std::optional<SpanPosition> next;
    std::vector<Gap> gaps;
    Status status;
    size_t chunks = 0;
  };

  Page Read(const SpanQuery& query) {
    const auto cursor = engine_.FindSpans(view_, query, {});
    Page page;
    for (;;) {
      const auto chunk = cursor->Next();
      page.status = chunk.status();
      page.gaps = cursor->gaps();
      if (!chunk.ok() || chunk->end) return page;
      ++page.chunks;
      EXPECT_FALSE(page.next.has_value()) << "only the last chunk says where to go on";
      EXPECT_LE(chunk->traces_data.size(), SpanPage::kChunkBytesMax);
      const auto spans = DecodeSpans(chunk->traces_data);
      EXPECT_TRUE(spans.ok());
      page.spans.insert(page.spans.end(), spans->begin(), spans->end());
      page.next = chunk->next;
    }
  }

  // All pages, one after the other.
  std::vector<Span> ReadAll(SpanQuery query) {
    std::vector<Span> all;
    do {
      const Page page = Read(query);
      EXPECT_TRUE(page.status.ok()) << page.status.ToString();
      EXPECT_TRUE(page.gaps.empty());
      EXPECT_TRUE(page.spans.size() == query.page_size || !page.next);
      all.insert(all.end(), page.spans.begin(), page.spans.end());
      query.after = page.next;
    } while (query.after);
    return all;
  }

  PageCache cache_{8 << 20};  // outlives the segments of the view
  std::shared_ptr<View> view_ = std::make_shared<View>();
  QueryEngine engine_{QueryEngineOptions()};
};

TEST_F(SpanWalkTest, SpansOfEqualKeysComeOnceEachByTheirContent) {
  std::vector<Span> spans;
  for (int i = 0; i < 1500; ++i) {
    spans.push_back(MakeSpan(7, 1, 1, 1, "name " + std::to_string(i % 900)));
  }
  AddSegment({spans.begin(), spans.begin() + 600});
  AddSegment({spans.begin() + 300, spans.begin() + 1200});
  AddHead({spans.begin() + 1100, spans.end()});
  SpanQuery query;
  query.page_size = 37;
  std::set<std::string> names;
  const std::vector<Span> all = ReadAll(query);
  for (const Span& span : all) names.insert(span.name);
  EXPECT_EQ(all.size(), 900u);
  EXPECT_EQ(names.size(), 900u);
}

// Every order, against a sort, over segments of many blocks: the walk leaves most of them out.
TEST_F(SpanWalkTest, EveryOrderOverManyBlocks) {
  Random random(TestSeed());
  std::vector<Span> spans;
  for (int part = 0; part < 4; ++part) {
    std::vector<Span> some;
    for (int i = 0; i < 5000; ++i) {
      const uint64_t start_ns = 1'000'000u * static_cast<uint64_t>(part) + random.Below(2'000'000);
      const uint64_t duration_ns = random.Below(uint64_t{1} << random.Below(12));
      Span span = MakeSpan(start_ns, duration_ns, 0, 0, random.OneIn(50) ? "rare" : "op");
      for (size_t byte = 0; byte < 8; ++byte) {
        span.span_id.bytes[byte] = static_cast<uint8_t>(random.Next());
      }
      span.trace_id.bytes[0] = static_cast<uint8_t>(random.Next());
      span.trace_id.bytes[9] = static_cast<uint8_t>(random.Next());
      if (random.OneIn(500)) span.start_ns = span.end_ns = 7200'000'000'000;  // an outlier
      some.push_back(span);
    }
    if (part < 3) AddSegment(some);
    if (part == 3) AddHead(some);
    spans.insert(spans.end(), some.begin(), some.end());
  }
  const std::vector<SpanSortField> fields = {SpanSortField::kStartTime, SpanSortField::kDuration,
                                             SpanSortField::kTraceId, SpanSortField::kSpanId};
  for (const SpanSortField lead : fields) {
    for (const bool descending : {false, true}) {
      for (const bool only_rare : {false, true}) {
        SpanQuery query;
        query.order = {{lead, descending}, {fields[random.Below(4)], random.OneIn(2)}};
        query.page_size = static_cast<uint32_t>(random.Between(only_rare ? 20 : 900, 3000));
        if (only_rare) query.filter = FieldIs(Field::kName, "rare");
        if (random.OneIn(2)) query.start = {500'000, 3'500'000};
        std::vector<SpanKey> expected;
        for (const Span& span : spans) {
          if (only_rare && span.name != "rare") continue;
          if (query.start.contains(span.start_ns)) expected.push_back(KeyOf(span));
        }
        const SpanOrder order(query.order);
        std::sort(expected.begin(), expected.end(),
                  [&](const SpanKey& a, const SpanKey& b) { return order.Compare(a, b) < 0; });
        const std::vector<Span> answered = ReadAll(query);
        ASSERT_EQ(answered.size(), expected.size());
        for (size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(KeyOf(answered[i]), expected[i]) << "lead " << static_cast<int>(lead);
        }
      }
    }
  }
}

// More spans of one duration than a slice of a segment's order holds: blocks take over.
TEST_F(SpanWalkTest, AnOrderThatPartsNothingIsWalkedByBlocks) {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 15'000; ++i) {
    Span span = MakeSpan(i, i % 5 < 3 ? 5000 : i, static_cast<uint8_t>(i), 1);
    span.span_id.bytes[1] = static_cast<uint8_t>(i >> 8);
    spans.push_back(span);
  }
  AddSegment(spans);
  for (const bool descending : {false, true}) {
    SpanQuery query;
    query.order = {{SpanSortField::kDuration, descending}, {SpanSortField::kStartTime, false}};
    query.page_size = 900;
    const std::vector<Span> all = ReadAll(query);
    ASSERT_EQ(all.size(), spans.size());
    const SpanOrder order(query.order);
    for (size_t i = 1; i < all.size(); ++i) {
      ASSERT_TRUE(order.Compare(KeyOf(all[i - 1]), KeyOf(all[i])) < 0) << i;
    }
  }
}

TEST_F(SpanWalkTest, MissingTermsOfTheDefaultOrderFollow) {
  const SpanOrder order({{SpanSortField::kSpanId, true}});
  const std::array<SpanSort, 4> expected = {{{SpanSortField::kSpanId, true},
                                             {SpanSortField::kStartTime, true},
                                             {SpanSortField::kTraceId, false},
                                             {SpanSortField::kDuration, false}}};
  EXPECT_EQ(order.terms(), expected);
}

TEST_F(SpanWalkTest, ANamedTraceIsLookedUpNotSearched) {
  AddHead({MakeSpan(5, 1, 1, 1), MakeSpan(6, 1, 2, 1)});
  AddHead({MakeSpan(7, 1, 3, 1)}, {.search = true});  // it would show as a gap
  SpanQuery query;
  query.filter = FieldIs(Field::kTraceId, "02000000000000000000000000000001");
  const Page page = Read(query);
  ASSERT_TRUE(page.status.ok());
  EXPECT_TRUE(page.gaps.empty());
  ASSERT_EQ(page.spans.size(), 1u);
  EXPECT_EQ(page.spans[0].start_ns, 6u);

  TraceQuery traces;
  traces.filter = query.filter;
  const auto found = engine_.FindTraceIds(view_, traces, {});
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->gaps.empty());
  EXPECT_EQ(found->values.size(), 1u);
}

TEST_F(SpanWalkTest, TextThatIsNoIdNamesNothing) {
  AddHead({MakeSpan(5, 1, 1, 1)});
  SpanQuery query;
  query.filter = FieldIs(Field::kTraceId, "not an id");
  const Page page = Read(query);
  EXPECT_TRUE(page.status.ok());
  EXPECT_TRUE(page.spans.empty());
  EXPECT_FALSE(page.next);
}

TEST_F(SpanWalkTest, LargeSpansMakeSmallBatchesAndChunks) {
  std::vector<Span> spans;
  for (uint8_t i = 0; i < 100; ++i) {
    Span span = MakeSpan(i, 1, 1, i);
    span.attributes = {{"pad", ValueType::kString, std::string(100'000, 'x')}};
    spans.push_back(span);
  }
  AddHead(spans);
  const Page page = Read({});
  EXPECT_TRUE(page.status.ok());
  EXPECT_EQ(page.spans.size(), 100u);
  EXPECT_GE(page.chunks, 5u);
}

TEST_F(SpanWalkTest, WhatCannotBeReadIsAGapAndTheNextPageGoesOn) {
  std::vector<Span> spans;
  for (uint8_t i = 0; i < 9; ++i) spans.push_back(MakeSpan(i, 1, 1, i));
  AddHead(spans, {.encode_rows = {2, 3, 4, 5}});
  SpanQuery query;
  query.page_size = 3;
  query.order = {{SpanSortField::kStartTime, false}};
  std::vector<uint64_t> starts;
  size_t gaps = 0;
  do {
    const Page page = Read(query);
    ASSERT_TRUE(page.status.ok()) << page.status.ToString();
    for (const Span& span : page.spans) starts.push_back(span.start_ns);
    gaps += page.gaps.size();
    query.after = page.next;
  } while (query.after);
  EXPECT_EQ(starts, (std::vector<uint64_t>{0, 1, 6, 7, 8}));
  EXPECT_GT(gaps, 0u);
}

// The first page keeps the places of spans that it cannot tell apart from their copies: what it cut
// off when it still hoped for them comes on the pages after.
TEST_F(SpanWalkTest, WhenNoCopyCanBeReadTheNextPageGoesOn) {
  std::vector<Span> spans;
  for (uint8_t i = 0; i < 9; ++i) spans.push_back(MakeSpan(i, 1, 1, i));
  AddHead(spans, {.encode_rows = {0, 1}});
  AddHead({spans[0], spans[1]}, {.encode_rows = {0, 1}});
  SpanQuery query;
  query.page_size = 2;
  query.order = {{SpanSortField::kStartTime, false}};
  std::vector<uint64_t> starts;
  do {
    const Page page = Read(query);
    ASSERT_TRUE(page.status.ok()) << page.status.ToString();
    for (const Span& span : page.spans) starts.push_back(span.start_ns);
    query.after = page.next;
  } while (query.after);
  EXPECT_EQ(starts, (std::vector<uint64_t>{2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(SpanWalkTest, WhenNothingCanBeReadItIsAnError) {
  AddHead({MakeSpan(1, 1, 1, 1)}, {.encode_rows = {0}});
  EXPECT_EQ(Read({}).status.code(), StatusCode::kDataLoss);
  view_ = std::make_shared<View>();
  AddHead({MakeSpan(1, 1, 1, 1)}, {.search = true});
  EXPECT_EQ(Read({}).status.code(), StatusCode::kDataLoss);
}

TEST_F(SpanWalkTest, ASpentBudgetIsAnError) {
  QueryEngine poor({.query_memory_bytes_max = 1000});
  std::vector<Span> spans;
  for (uint8_t i = 0; i < 100; ++i) spans.push_back(MakeSpan(i, 1, 1, i));
  AddHead(spans);
  EXPECT_EQ(poor.FindSpans(view_, {}, {})->Next().status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace larder
