#include "storage/segment/writer/row_order.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

Span SpanAt(uint8_t trace, uint8_t id, uint64_t start_ns) {
  Span span;
  span.trace_id.bytes.fill(trace);
  span.span_id.bytes.fill(id);
  span.start_ns = start_ns;
  span.resource = std::make_shared<Resource>();
  span.scope = std::make_shared<Scope>();
  return span;
}

using Place = std::tuple<uint8_t, uint8_t, uint64_t>;  // trace, span, start

std::vector<Place> Ordered(const std::vector<Span>& spans, bool drop_duplicates, RowOrder* order) {
  SpanTable table;
  EXPECT_TRUE(table.Append(EncodeSpans(spans), {}).ok());
  table.Publish();
  *order = OrderRows(table, drop_duplicates);
  std::vector<Place> places;
  for (const uint32_t source : order->sources) {
    const SpanRow& span = table.row(source);
    places.emplace_back(span.trace_id.bytes[0], span.span_id.bytes[0], span.start_ns);
  }
  return places;
}

TEST(RowOrderTest, TracesByFirstStartRowsByStart) {
  RowOrder order;
  EXPECT_EQ(
      Ordered({SpanAt(3, 1, 50), SpanAt(1, 1, 40), SpanAt(2, 2, 20), SpanAt(1, 2, 30),
               SpanAt(2, 1, 60), SpanAt(3, 2, 20)},
              false, &order),
      (std::vector<Place>{{2, 2, 20}, {2, 1, 60}, {3, 2, 20}, {3, 1, 50}, {1, 2, 30}, {1, 1, 40}}));
  EXPECT_EQ(order.trace_first_rows, (std::vector<uint32_t>{0, 2, 4, 6}));
}

TEST(RowOrderTest, EqualSpansAreListedOrDropped) {
  const std::vector<Span> spans = {SpanAt(1, 1, 5), SpanAt(1, 2, 5), SpanAt(1, 1, 5),
                                   SpanAt(1, 1, 6), SpanAt(2, 1, 5), SpanAt(1, 1, 5)};
  RowOrder order;
  EXPECT_EQ(Ordered(spans, false, &order).size(), 6u);
  EXPECT_EQ(order.duplicates, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(Ordered(spans, true, &order).size(), 4u);
  EXPECT_TRUE(order.duplicates.empty());
  EXPECT_EQ(order.trace_first_rows, (std::vector<uint32_t>{0, 3, 4}));
}

TEST(RowOrderTest, RandomRowsAgainstASort) {
  Random random(TestSeed());
  for (int round = 0; round < 200; ++round) {
    std::vector<Span> spans;
    std::vector<Place> places;
    std::map<uint8_t, uint64_t> first_starts;
    for (uint64_t i = random.Between(1, 60); i > 0; --i) {
      const auto trace = static_cast<uint8_t>(random.Between(1, 6));
      const auto id = static_cast<uint8_t>(random.Between(1, 4));
      const uint64_t start = random.Below(8);
      spans.push_back(SpanAt(trace, id, start));
      spans.back().end_ns = i;  // nothing is equal
      places.emplace_back(trace, id, start);
      first_starts.emplace(trace, start);
      first_starts[trace] = std::min(first_starts[trace], start);
    }
    std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
      const auto key = [&](const Place& p) {
        return std::tuple(first_starts[std::get<0>(p)], std::get<0>(p), std::get<2>(p),
                          std::get<1>(p));
      };
      return key(a) < key(b);
    });
    RowOrder order;
    EXPECT_EQ(Ordered(spans, false, &order), places);
    EXPECT_TRUE(order.duplicates.empty());
  }
}

}  // namespace
}  // namespace larder
