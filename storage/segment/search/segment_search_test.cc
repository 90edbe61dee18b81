// What a search leaves unread. That it finds what it should is the differential test's matter.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/model/filter.h"
#include "storage/model/span.h"
#include "storage/model/table/span_filter.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/map_page_store.h"

namespace larder {
namespace {

constexpr uint32_t kSpans = 20 * kBlockRows;

TraceId TraceOf(uint32_t number) {
  TraceId id;
  const uint64_t hash = Hash64(std::to_string(number));
  StoreFixed64(reinterpret_cast<char*>(id.bytes.data()), hash);
  StoreFixed64(reinterpret_cast<char*>(id.bytes.data()) + 8, number);
  return id;
}

template <typename T>
std::string Payload(T number) {
  std::string payload(sizeof number, '\0');
  std::memcpy(payload.data(), &number, sizeof number);
  return payload;
}

// Spans of one template, each a trace of its own. Durations, and the frequent values x of `a` and y
// of `b`, recur every 17 spans. The numbers `size` and `ratio` are nowhere equal; one goes up, the
// other down, and every fifth ratio is NaN. With events, every fifth span has two: `sent`, with the
// number 1, and `got`, with the number 2.
std::shared_ptr<SpanTable> Table(bool with_events = false) {
  std::vector<Span> spans;
  const auto resource = std::make_shared<Resource>();
  const auto scope = std::make_shared<Scope>();
  for (uint32_t i = 0; i < kSpans; ++i) {
    Span span;
    span.trace_id = TraceOf(i);
    span.span_id.bytes[0] = 1;
    span.name = "work";
    span.start_ns = 1'000'000'000 + i * 1000;
    span.end_ns = span.start_ns + 5000 + i % 17;
    span.attributes.push_back(
        {"a", ValueType::kString, i % 17 == 0 ? "x" : "a" + std::to_string(i % 3)});
    span.attributes.push_back(
        {"b", ValueType::kString, i % 17 == 1 ? "y" : "b" + std::to_string(i % 3)});
    span.attributes.push_back({"size", ValueType::kInt, Payload(int64_t{i} * 7 - 1000)});
    span.attributes.push_back({"ratio", ValueType::kDouble, Payload(i % 5 == 0 ? NAN : 9.0 - i)});
    if (with_events && i % 5 == 0) {
      span.events = {{.time_ns = span.start_ns + 1, .name = "sent"},
                     {.time_ns = span.start_ns + 2, .name = "got"}};
      span.events[0].attributes.push_back({"n", ValueType::kString, "1"});
      span.events[1].attributes.push_back({"n", ValueType::kString, "2"});
    }
    span.resource = resource;
    span.scope = scope;
    spans.push_back(std::move(span));
  }
  auto table = std::make_shared<SpanTable>();
  EXPECT_TRUE(table->Append(EncodeSpans(spans), {}).ok());
  table->Publish();
  return table;
}

// A segment in memory that counts the pages read of it.
class CountingSource : public PageSource {
 public:
  CountingSource(std::unique_ptr<PageSource> source, std::vector<PageKey>* read)
      : source_(std::move(source)), read_(read) {}
  Result<PageBytes> Get(PageKey key) const override {
    read_->push_back(key);
    return source_->Get(key);
  }

 private:
  const std::unique_ptr<PageSource> source_;
  std::vector<PageKey>* const read_;
};

class SegmentSearchTest : public testing::Test {
 protected:
  void Seal(const SpanTable& table) {
    MapPageStore store;
    ASSERT_TRUE(WriteSegment(table, {}, {}, &store).ok());
    segment_ =
        Segment::Open(std::make_unique<CountingSource>(store.Source(), &read_), &cache_).value();
  }

  // The rows found, and in `blocks` the candidates.
  static std::vector<uint32_t> Search(const SpanSource& source, const FilterNode& filter,
                                      std::vector<uint32_t>* blocks) {
    const auto search = source.Search(filter, {}, SearchBudget::Unbounded()).value();
    *blocks = search->candidate_blocks();
    std::vector<SpanMatch> matches;
    for (const uint32_t block : *blocks) EXPECT_TRUE(search->Match(block, &matches).ok());
    std::vector<uint32_t> rows;
    for (const SpanMatch& match : matches) rows.push_back(match.row);
    return rows;
  }

  uint64_t PagesRead(Section section) const {
    return static_cast<uint64_t>(
        std::count_if(read_.begin(), read_.end(),
                      [section](const PageKey& key) { return key.section == section; }));
  }

  PageCache cache_{64 << 20};
  std::vector<PageKey> read_;
  std::shared_ptr<const Segment> segment_;
};

FilterNode Leaf(FilterOp op, Operand left, std::vector<Constant> constants) {
  FilterNode leaf = FilterNode::Leaf(op, std::move(left));
  if (op == FilterOp::kIn || op == FilterOp::kNotIn) {
    leaf.constants = std::move(constants);
  } else {
    leaf.right = constants.at(0);
  }
  return leaf;
}

Constant Text(std::string text) {
  return {.type = Constant::Type::kUntyped, .text = std::move(text)};
}

Constant Number(Constant::Type type, int64_t number) { return {.type = type, .number = number}; }

FilterNode TraceIs(const TraceId& id) {
  return Leaf(FilterOp::kEq, FieldRef{Field::kTraceId}, {Text(HexText(id.view()))});
}

TEST_F(SegmentSearchTest, TraceIdIsLookedUp) {
  const auto table = Table();
  Seal(*table);
  read_.clear();
  std::vector<uint32_t> blocks;
  EXPECT_EQ(Search(*segment_, TraceIs(TraceOf(7000)), &blocks), std::vector<uint32_t>{7000});
  EXPECT_EQ(blocks, std::vector<uint32_t>{7000 / kBlockRows});
  EXPECT_EQ(PagesRead(Section::kTraceIndex), 1u);
  EXPECT_LE(PagesRead(Section::kFixed), 2u);
  EXPECT_EQ(PagesRead(Section::kIndex), 0u);

  const FilterNode list =
      Leaf(FilterOp::kIn, FieldRef{Field::kTraceId},
           {Text(HexText(TraceOf(1).view())), Text("no id"), Text(HexText(TraceOf(9000).view()))});
  EXPECT_EQ(Search(*segment_, list, &blocks), (std::vector<uint32_t>{1, 9000}));
  EXPECT_EQ(Search(*MakeTableSource(table), list, &blocks), (std::vector<uint32_t>{1, 9000}));
  EXPECT_EQ(blocks.size(), 2u);
}

// Nothing but the trace index is read, whatever else is asked.
TEST_F(SegmentSearchTest, AbsentTraceIdEndsTheSearch) {
  Seal(*Table());
  const FilterNode filter = FilterNode::Group(
      FilterOp::kAnd,
      {Leaf(FilterOp::kGte, FieldRef{Field::kDuration}, {Number(Constant::Type::kDuration, 5001)}),
       TraceIs(TraceOf(kSpans + 1))});
  read_.clear();
  std::vector<uint32_t> blocks;
  EXPECT_TRUE(Search(*segment_, filter, &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  EXPECT_EQ(PagesRead(Section::kIndex), 0u);
}

// Every block holds the shortest and the longest duration, so that only what is true of all rows of
// a block tells them apart.
TEST_F(SegmentSearchTest, NotLeavesOutBlocksWithoutAnException) {
  Seal(*Table());
  std::vector<uint32_t> blocks;
  const auto at_least = [](int64_t ns) {
    return Leaf(FilterOp::kGte, FieldRef{Field::kDuration},
                {Number(Constant::Type::kDuration, ns)});
  };
  EXPECT_TRUE(
      Search(*segment_, FilterNode::Group(FilterOp::kNot, {at_least(5000)}), &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  const auto after = [](uint64_t ns) {
    return Leaf(FilterOp::kGte, FieldRef{Field::kStartTime},
                {Number(Constant::Type::kTime, static_cast<int64_t>(ns))});
  };
  const FilterNode early =
      FilterNode::Group(FilterOp::kNot, {after(1'000'000'000 + 1000 * kBlockRows)});
  EXPECT_EQ(Search(*segment_, early, &blocks).size(), kBlockRows);
  EXPECT_EQ(blocks, std::vector<uint32_t>{0});
}

FilterNode AttributeIs(std::string key, std::string text) {
  return Leaf(FilterOp::kEq, AttributeRef{std::move(key)}, {Text(std::move(text))});
}

// Each of the two is on every block, so that rows alone keep them apart: after the first block in
// vain no column is read.
TEST_F(SegmentSearchTest, RowsKeepFrequentValuesApart) {
  Seal(*Table());
  for (const FilterNode& filter :
       {FilterNode::Group(FilterOp::kAnd, {AttributeIs("a", "x"), AttributeIs("b", "y")}),
        FilterNode::Group(
            FilterOp::kAnd,
            {AttributeIs("a", "x"), FilterNode::Group(FilterOp::kNot, {AttributeIs("a", "x")})}),
        FilterNode::Group(FilterOp::kAnd, {AttributeIs("b", "y"),
                                           Leaf(FilterOp::kNe, AttributeRef{"b"}, {Text("y")})})}) {
    read_.clear();
    cache_.set_capacity_bytes(0);
    cache_.set_capacity_bytes(64 << 20);
    std::vector<uint32_t> blocks;
    EXPECT_TRUE(Search(*segment_, filter, &blocks).empty());
    EXPECT_EQ(blocks.size(), kSpans / kBlockRows);
    EXPECT_LE(PagesRead(Section::kAttributes), 2u);
  }
}

TEST_F(SegmentSearchTest, SpanIdsAreLookedForInTheirColumnAlone) {
  Seal(*Table());
  std::vector<uint32_t> blocks;
  const auto id_is = [](const char* hex) {
    return Leaf(FilterOp::kEq, FieldRef{Field::kSpanId}, {Text(hex)});
  };
  EXPECT_EQ(Search(*segment_, id_is("0100000000000000"), &blocks).size(), kSpans);
  EXPECT_TRUE(Search(*segment_, id_is("no id"), &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  cache_.set_capacity_bytes(0);
  cache_.set_capacity_bytes(64 << 20);
  read_.clear();
  const FilterNode absent =
      FilterNode::Group(FilterOp::kAnd, {AttributeIs("a", "x"), id_is("0200000000000000")});
  EXPECT_TRUE(Search(*segment_, absent, &blocks).empty());
  EXPECT_EQ(PagesRead(Section::kAttributes), 0u);
  EXPECT_EQ(PagesRead(Section::kFixed), 3u);
  for (const PageKey& key : read_) {
    if (key.section != Section::kFixed) continue;
    EXPECT_EQ(key.column, kFixedSpanIds);
  }
}

FilterNode EventIs(std::string name) {
  return Leaf(FilterOp::kEq, FieldRef{Field::kEventName}, {Text(std::move(name))});
}

FilterNode EventNumberIs(std::string number) {
  return Leaf(FilterOp::kEq, AttributeRef{"n", AttributeLevel::kEvent}, {Text(std::move(number))});
}

TEST_F(SegmentSearchTest, NamesOfEventsAreTakenFromTemplates) {
  Seal(*Table(true));
  std::vector<uint32_t> blocks;
  EXPECT_TRUE(Search(*segment_, EventIs("no such"), &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  read_.clear();
  EXPECT_EQ(Search(*segment_, EventIs("got"), &blocks).size(), kSpans / 5);
  const FilterNode some = FilterNode::Group(FilterOp::kSome, {EventIs("got")});
  EXPECT_EQ(Search(*segment_, some, &blocks).size(), kSpans / 5);
  EXPECT_EQ(PagesRead(Section::kAttributes), 0u);
  EXPECT_EQ(Search(*segment_, FilterNode::Group(FilterOp::kNot, {some}), &blocks).size(),
            kSpans - kSpans / 5);
}

// What no event of a span satisfies by itself leaves nothing to look at span by span.
TEST_F(SegmentSearchTest, SomeEventIsAskedOfTheColumnsFirst) {
  Seal(*Table(true));
  std::vector<uint32_t> blocks;
  const auto some = [](std::vector<FilterNode> conditions) {
    return FilterNode::Group(FilterOp::kSome,
                             {FilterNode::Group(FilterOp::kAnd, std::move(conditions))});
  };
  EXPECT_TRUE(Search(*segment_, some({EventIs("got"), EventNumberIs("3")}), &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  EXPECT_EQ(Search(*segment_, some({EventIs("got"), EventNumberIs("2")}), &blocks).size(),
            kSpans / 5);
  // Each holds for an event, but for no one event both.
  EXPECT_TRUE(Search(*segment_, some({EventIs("got"), EventNumberIs("1")}), &blocks).empty());
  EXPECT_EQ(blocks.size(), kSpans / kBlockRows);
  // Negated, a condition may hold for one event and not for the span.
  const FilterNode other = Leaf(FilterOp::kNe, FieldRef{Field::kEventName}, {Text("got")});
  EXPECT_EQ(Search(*segment_, FilterNode::Group(FilterOp::kSome, {other}), &blocks).size(),
            kSpans / 5);
  EXPECT_TRUE(Search(*segment_, other, &blocks).empty());
}

// x lasts 5000 ns, the longest 5016.
TEST_F(SegmentSearchTest, BandsKeepDurationsApart) {
  Seal(*Table());
  const auto longest =
      Leaf(FilterOp::kGte, FieldRef{Field::kDuration}, {Number(Constant::Type::kDuration, 5016)});
  std::vector<uint32_t> blocks;
  EXPECT_TRUE(Search(*segment_, FilterNode::Group(FilterOp::kAnd, {longest, AttributeIs("a", "x")}),
                     &blocks)
                  .empty());
  EXPECT_EQ(blocks.size(), kSpans / kBlockRows);
  EXPECT_LE(PagesRead(Section::kAttributes), 1u);
  std::vector<uint32_t> expected;
  for (uint32_t i = 0; i < kSpans; ++i) {
    if (i % 17 == 16 && i % 3 == 0) expected.push_back(i);
  }
  EXPECT_EQ(Search(*segment_, FilterNode::Group(FilterOp::kAnd, {longest, AttributeIs("a", "a0")}),
                   &blocks),
            expected);
}

// A range of numbers that mostly differ is looked for on the blocks whose bounds meet it.
TEST_F(SegmentSearchTest, RangesOfNumbersLeaveOutBlocks) {
  Seal(*Table());
  std::vector<uint32_t> blocks;
  const auto size = [](FilterOp op, int64_t number) {
    return Leaf(op, AttributeRef{"size"}, {Number(Constant::Type::kInt, number)});
  };
  const auto ratio = [](FilterOp op, double number) {
    Constant constant;
    constant.type = Constant::Type::kDouble;
    constant.real = number;
    return Leaf(op, AttributeRef{"ratio"}, {constant});
  };
  const auto size_at = [](int64_t row) { return row * 7 - 1000; };

  EXPECT_EQ(Search(*segment_, size(FilterOp::kGte, size_at(kSpans - 2)), &blocks),
            (std::vector<uint32_t>{kSpans - 2, kSpans - 1}));
  EXPECT_EQ(blocks, std::vector<uint32_t>{kSpans / kBlockRows - 1});
  EXPECT_EQ(Search(*segment_, size(FilterOp::kLt, size_at(kBlockRows) + 1), &blocks).size(),
            kBlockRows + 1);
  EXPECT_EQ(blocks, (std::vector<uint32_t>{0, 1}));
  EXPECT_TRUE(Search(*segment_, size(FilterOp::kGt, size_at(kSpans - 1)), &blocks).empty());
  EXPECT_TRUE(blocks.empty());
  const FilterNode between = FilterNode::Group(
      FilterOp::kAnd, {size(FilterOp::kGt, size_at(5000)), size(FilterOp::kLte, size_at(5002))});
  EXPECT_EQ(Search(*segment_, between, &blocks), (std::vector<uint32_t>{5001, 5002}));
  EXPECT_EQ(blocks, std::vector<uint32_t>{5000 / kBlockRows});
  // What has none of the values, or all of them, is no range: every block may hold a row.
  EXPECT_EQ(Search(*segment_, FilterNode::Group(FilterOp::kNot, {size(FilterOp::kGte, size_at(1))}),
                   &blocks),
            std::vector<uint32_t>{0});

  EXPECT_EQ(Search(*segment_, ratio(FilterOp::kGte, 8), &blocks), std::vector<uint32_t>{1});
  EXPECT_EQ(blocks, std::vector<uint32_t>{0});
  EXPECT_EQ(Search(*segment_, ratio(FilterOp::kLt, 10.0 - kSpans), &blocks),
            std::vector<uint32_t>());
  EXPECT_EQ(Search(*segment_, ratio(FilterOp::kLte, 10.0 - kSpans), &blocks),
            std::vector<uint32_t>{kSpans - 1});
  EXPECT_EQ(blocks, std::vector<uint32_t>{kSpans / kBlockRows - 1});
}

}  // namespace
}  // namespace larder
