// What comes in comes out, field by field, in every form a span takes: head, segment, and a segment
// merged from segments. Requests are random and spelled as oddly as protobuf allows.
#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/segment.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/otlp_mangler.h"
#include "tests/support/span_generator.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

class Collector : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    writer_.Add(resource, scope, span);
    return true;
  }
  std::string Finish() { return writer_.Finish(); }

 private:
  TracesDataWriter writer_;
};

std::string AllRows(const SpanSource& source) {
  std::vector<uint32_t> rows(source.row_count());
  std::iota(rows.begin(), rows.end(), 0);
  Collector collector;
  const Status status = source.EncodeRows(rows, &collector);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return collector.Finish();
}

// Spans in an order of their own: by ids, and among equal ids by their bytes.
std::vector<Span> Sorted(std::vector<Span> spans) {
  std::vector<std::pair<std::string, size_t>> order;
  for (size_t i = 0; i < spans.size(); ++i) order.emplace_back(EncodeSpans({spans[i]}), i);
  std::sort(order.begin(), order.end());
  std::vector<Span> sorted;
  for (const auto& [bytes, index] : order) sorted.push_back(std::move(spans[index]));
  return sorted;
}

std::vector<Span> SpansOf(const SpanSource& source) {
  auto spans = DecodeSpans(AllRows(source));
  EXPECT_TRUE(spans.ok()) << spans.status().ToString();
  return Sorted(std::move(spans).value());
}

void ExpectEqual(const std::vector<Span>& found, const std::vector<Span>& sent) {
  ASSERT_EQ(found.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(found[i] == sent[i])
        << "span " << i << " of " << sent.size() << ", " << sent[i].name;
  }
}

class LosslessTest : public testing::Test {
 protected:
  LosslessTest() : random_(TestSeed()) {}

  // Appends a random request to `table` and `sent`.
  void Send(SpanGenerator* generator, SpanTable* table, std::vector<Span>* sent) {
    const auto count = static_cast<uint32_t>(random_.Between(1, 60));
    const std::string request = MangleRequest(&random_, EncodeSpans(generator->Batch(count)), true);
    const auto result = table->Append(request, {});
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_EQ(result->rejected_spans, 0u) << result->first_rejection;
    table->Publish();
    const std::vector<Span> spans = DecodeSpans(request).value();
    sent->insert(sent->end(), spans.begin(), spans.end());
  }

  std::shared_ptr<const Segment> Seal(const SpanTable& table, bool drop_duplicates) {
    return StoreSegment(table, {.segment_id = ++segment_id_}, &cache_,
                        {.drop_duplicates = drop_duplicates});
  }

  Random random_;
  PageCache cache_{64 << 20};
  uint64_t segment_id_ = 0;
};

TEST_F(LosslessTest, HeadSegmentAndMergedSegment) {
  for (int round = 0; round < 12; ++round) {
    SpanGenerator generator(&random_, {.open_traces = 4 + static_cast<uint32_t>(round),
                                       .hostile_one_in = 1 + static_cast<uint32_t>(round % 12)});
    std::vector<Span> all_sent;
    auto merged = std::make_shared<SpanTable>();
    for (int part = 0; part < 3; ++part) {
      auto head = std::make_shared<SpanTable>();
      std::vector<Span> sent;
      for (uint64_t i = random_.Between(1, 12); i > 0; --i) Send(&generator, head.get(), &sent);
      for (const Span& span : sent) all_sent.push_back(span);
      sent = Sorted(std::move(sent));
      ExpectEqual(SpansOf(*MakeTableSource(head)), sent);
      const auto segment = Seal(*head, false);
      ExpectEqual(SpansOf(*segment), sent);
      ASSERT_TRUE(merged->Append(AllRows(*segment), AppendLimits::None()).ok());
      if (HasFatalFailure()) return;
    }
    merged->Publish();
    all_sent = Sorted(std::move(all_sent));
    ExpectEqual(SpansOf(*Seal(*merged, false)), all_sent);

    // Equal in every field is dropped where a merge asks for it, and nothing else is.
    all_sent.erase(std::unique(all_sent.begin(), all_sent.end()), all_sent.end());
    ExpectEqual(SpansOf(*Seal(*merged, true)), all_sent);
    if (HasFatalFailure()) return;
  }
}

// More rows than a page has, so that every encoding crosses a page's border.
TEST_F(LosslessTest, ManyPages) {
  SpanGenerator generator(&random_, {.open_traces = 40, .hostile_one_in = 40});
  auto head = std::make_shared<SpanTable>();
  std::vector<Span> sent;
  while (sent.size() < 20'000) Send(&generator, head.get(), &sent);
  const auto segment = Seal(*head, false);
  ExpectEqual(SpansOf(*segment), Sorted(std::move(sent)));
}

}  // namespace
}  // namespace larder
