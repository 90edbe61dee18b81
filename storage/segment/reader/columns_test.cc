// The columns that the search reads, against the spans they were made of.
#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/encoding/payload_order.h"
#include "storage/segment/reader/columns_reader.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

using Values = std::vector<std::pair<uint32_t, std::string>>;  // item or row, payload

class ColumnsTest : public testing::Test {
 protected:
  void Write(const std::vector<Span>& spans) {
    const auto appended = table_.Append(EncodeSpans(spans), {});
    ASSERT_TRUE(appended.ok());
    table_.Publish();
    const SegmentIdentity identity{.segment_id = 1, .arrival_max_ns = arrival_max_ns_};
    ASSERT_TRUE(WriteSegment(table_, identity, {}, &store_).ok());
    source_ = store_.Source();
    auto opened = ColumnsReader::Open(source_.get(), &cache_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    columns_ = std::move(*opened);
    ReadSpans();
  }

  void WriteRandom(uint32_t count, SpanGeneratorOptions options) {
    Random random(TestSeed());
    Write(SpanGenerator(&random, options).Batch(count));
  }

  // The spans in row order.
  void ReadSpans() {
    class Visitor : public SpanSource::RowVisitor {
     public:
      explicit Visitor(std::vector<Span>* spans) : spans_(spans) {}
      bool Visit(uint32_t, std::string_view resource, std::string_view scope,
                 std::string_view span) override {
        TracesDataWriter writer;
        writer.Add(resource, scope, span);
        auto decoded = DecodeSpans(writer.Finish());
        EXPECT_TRUE(decoded.ok());
        spans_->push_back((*decoded)[0]);
        return true;
      }

     private:
      std::vector<Span>* spans_;
    };
    PageCache cache(32 << 20);
    const auto segment = Segment::Open(store_.Source(), &cache);
    ASSERT_TRUE(segment.ok());
    std::vector<uint32_t> rows((*segment)->row_count());
    for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
    Visitor visitor(&spans_);
    ASSERT_TRUE((*segment)->EncodeRows(rows, &visitor).ok());
  }

  // The values of a column on all blocks, by row of the item.
  Values Read(uint32_t column) {
    Values values;
    const ItemTable table = columns_->columns()[column].table;
    for (uint32_t block = 0; block < columns_->block_count(); ++block) {
      const uint32_t page = block / kPageBlocks;
      std::vector<ItemValue> found;
      EXPECT_TRUE(columns_->BlockValues(column, block, &found).ok());
      const auto column_page = columns_->Column(column, page);
      const auto templates = columns_->Templates(table, page);
      EXPECT_TRUE(column_page.ok() && templates.ok());
      for (const ItemValue& value : found) {
        uint32_t row = block * kBlockRows + value.item;
        if (table != ItemTable::kSpans) {
          const auto rows = columns_->ItemRows(table, page);
          row = page * kPageRows +
                (*rows)->values[(*templates)->block_starts[block % kPageBlocks] + value.item];
        }
        values.emplace_back(row, Payload(column, **column_page, value.ordinal));
      }
    }
    return values;
  }

  std::string Payload(uint32_t column, const ColumnPage& page, uint32_t ordinal) {
    std::string payload;
    switch (columns_->columns()[column].coding) {
      case ColumnCoding::kBytes:
        return std::string(page.bytes(ordinal));
      case ColumnCoding::kNumbers:
        PutFixed64(&payload, page.numbers[ordinal]);
        return payload;
      case ColumnCoding::kDictionary:
        EXPECT_TRUE((*columns_->Dictionary(column))->Append(page.codes[ordinal], &payload).ok());
    }
    return payload;
  }

  uint64_t arrival_max_ns_ = 0;
  SpanTable table_;
  MapPageStore store_;
  PageCache cache_{32 << 20};
  std::unique_ptr<PageSource> source_;
  std::unique_ptr<const ColumnsReader> columns_;
  std::vector<Span> spans_;
};

// What the spans hold of a column, in the same form.
Values Expected(const ColumnInfo& info, const std::vector<Span>& spans) {
  Values values;
  const auto add = [&](uint32_t row, const std::vector<Attribute>& attributes) {
    for (const Attribute& attribute : attributes) {
      if (attribute.key == info.key && attribute.type == info.type) {
        values.emplace_back(row, attribute.payload);
      }
    }
  };
  for (uint32_t row = 0; row < spans.size(); ++row) {
    const Span& span = spans[row];
    if (info.role == ColumnRole::kTraceState) {
      if (info.table == ItemTable::kSpans && !span.trace_state.empty()) {
        values.emplace_back(row, span.trace_state);
      }
      for (const Link& link : span.links) {
        if (info.table == ItemTable::kLinks && !link.trace_state.empty()) {
          values.emplace_back(row, link.trace_state);
        }
      }
    } else if (info.role == ColumnRole::kStatusMessage) {
      if (!span.status_message.empty()) values.emplace_back(row, span.status_message);
    } else if (info.table == ItemTable::kSpans) {
      add(row, span.attributes);
    } else if (info.table == ItemTable::kEvents) {
      for (const Event& event : span.events) add(row, event.attributes);
    } else {
      for (const Link& link : span.links) add(row, link.attributes);
    }
  }
  return values;
}

TEST_F(ColumnsTest, ColumnsHoldWhatTheSpansHave) {
  WriteRandom(12'000, {.open_traces = 30, .hostile_one_in = 10});
  std::set<std::pair<ItemTable, ColumnRole>> seen;
  for (uint32_t column = 0; column < columns_->columns().size(); ++column) {
    const ColumnInfo& info = columns_->columns()[column];
    seen.emplace(info.table, info.role);
    const Values values = Read(column);
    EXPECT_EQ(values.size(), info.value_count);
    if (info.role == ColumnRole::kOverflow || info.role == ColumnRole::kRest) continue;
    EXPECT_TRUE(values == Expected(info, spans_)) << info.key;
  }
  EXPECT_TRUE(seen.contains({ItemTable::kSpans, ColumnRole::kAttribute}));
  EXPECT_TRUE(seen.contains({ItemTable::kSpans, ColumnRole::kTraceState}));
  EXPECT_TRUE(seen.contains({ItemTable::kEvents, ColumnRole::kAttribute}));
  EXPECT_TRUE(seen.contains({ItemTable::kLinks, ColumnRole::kTraceState}));
}

TEST_F(ColumnsTest, PlainColumnsHoldWhatTheSpansHave) {
  WriteRandom(9'000, {.open_traces = 30, .hostile_one_in = 50});
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    const uint32_t page = row / kPageRows;
    const uint32_t i = row % kPageRows;
    const Span& span = spans_[row];
    ASSERT_EQ((*columns_->Starts(page))->values[i], span.start_ns);
    ASSERT_EQ((*columns_->Durations(page))->values[i], span.duration_ns());
    ASSERT_EQ((*columns_->SpanIds(page))->values[i], span.span_id);
    ASSERT_EQ((*columns_->ParentIds(page))->values[i], span.parent_span_id);
    ASSERT_EQ((*columns_->Traces(page))->id_of_row(i), span.trace_id);
  }
}

constexpr uint64_t kHour = 3'600'000'000'000;

Span SpanAt(uint8_t trace, uint8_t id, uint64_t start_ns) {
  Span span;
  span.trace_id.bytes.fill(trace);
  span.span_id.bytes.fill(id);
  span.start_ns = start_ns;
  span.resource = std::make_shared<Resource>();
  span.scope = std::make_shared<Scope>();
  return span;
}

TEST_F(ColumnsTest, BlockBoundsLeaveOutliersOut) {
  // An hour after the first is in, two hours are not.
  Write({SpanAt(1, 1, 1000), SpanAt(1, 2, 1000 + kHour), SpanAt(1, 3, 1000 + 2 * kHour)});
  EXPECT_EQ(columns_->block_start_range(0).min_ns, 1000u);
  EXPECT_EQ(columns_->block_latest_start_ns(0), 1000 + kHour);
  ASSERT_EQ(columns_->outlier_rows().size(), 1u);
  EXPECT_EQ(columns_->outlier_rows()[0].row, 2u);
  EXPECT_EQ(columns_->outlier_rows()[0].start_ns, 1000 + 2 * kHour);
}

TEST_F(ColumnsTest, BlockBoundsLeaveClocksThatAreAheadOut) {
  arrival_max_ns_ = 5 * kHour;
  std::vector<Span> spans;
  for (uint8_t i = 1; i < 9; ++i) spans.push_back(SpanAt(i, i, i * kHour / 8));
  spans.push_back(SpanAt(9, 9, 7 * kHour));
  Write(spans);
  EXPECT_EQ(columns_->block_latest_start_ns(0), kHour);
  ASSERT_EQ(columns_->outlier_rows().size(), 1u);
  EXPECT_EQ(columns_->outlier_rows()[0].start_ns, 7 * kHour);
}

TEST_F(ColumnsTest, WhenManyAreAheadNoneIsAnOutlier) {
  arrival_max_ns_ = kHour;
  Write({SpanAt(1, 1, 9 * kHour), SpanAt(2, 2, 10 * kHour), SpanAt(3, 3, 0)});
  EXPECT_EQ(columns_->block_latest_start_ns(0), 10 * kHour);
  EXPECT_TRUE(columns_->outlier_rows().empty());
}

// A span with one attribute.
Span SpanWith(uint32_t number, Attribute attribute) {
  Span span;
  span.trace_id.bytes.fill(1);
  span.span_id = SpanId::From(std::string(4, 'x') + std::string(1, static_cast<char>(number)) +
                              std::string(1, static_cast<char>(number >> 8)) + "yy");
  span.start_ns = number;
  span.attributes.push_back(std::move(attribute));
  span.resource = std::make_shared<Resource>();
  span.scope = std::make_shared<Scope>();
  return span;
}

std::string Fixed64(uint64_t value) {
  std::string bytes;
  PutFixed64(&bytes, value);
  return bytes;
}

// Every value twice or more, so that the column gets a dictionary, of several chunks.
TEST_F(ColumnsTest, DictionariesAreSortedAndFound) {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 9000; ++i) {
    const std::string text = "value " + std::to_string(i % 3000);
    spans.push_back(SpanWith(i, {"text", ValueType::kString, text}));
    const auto number = static_cast<uint64_t>(int64_t{i % 300} - 150);
    spans.back().attributes.push_back({"number", ValueType::kInt, Fixed64(number)});
    const double real = (static_cast<double>(i % 200) - 100) / 7;
    spans.back().attributes.push_back(
        {"real", ValueType::kDouble, Fixed64(std::bit_cast<uint64_t>(real))});
  }
  Write(spans);
  const std::map<std::string, uint32_t> sizes = {{"text", 3000}, {"number", 300}, {"real", 200}};
  for (uint32_t column = 0; column < columns_->columns().size(); ++column) {
    const ColumnInfo& info = columns_->columns()[column];
    ASSERT_EQ(info.coding, ColumnCoding::kDictionary) << info.key;
    const auto dictionary = columns_->Dictionary(column);
    ASSERT_TRUE(dictionary.ok());
    EXPECT_EQ((*dictionary)->size(), sizes.at(info.key));
    std::vector<std::string> payloads;
    ASSERT_TRUE((*dictionary)
                    ->ForEach(0, (*dictionary)->size(),
                              [&payloads](uint32_t code, std::string_view payload) {
                                EXPECT_EQ(code, payloads.size());
                                payloads.emplace_back(payload);
                                return true;
                              })
                    .ok());
    ASSERT_EQ(payloads.size(), (*dictionary)->size());
    for (uint32_t code = 0; code < payloads.size(); ++code) {
      EXPECT_EQ(PayloadLess(info.type, payloads[code == 0 ? 0 : code - 1], payloads[code]),
                code > 0);
      const auto found = (*dictionary)->Find(payloads[code]);
      ASSERT_TRUE(found.ok());
      EXPECT_EQ(*found, std::optional<uint32_t>(code));
    }
    const std::string absent = info.type == ValueType::kString ? "value 15x" : Fixed64(12345);
    EXPECT_EQ(*(*dictionary)->Find(absent), std::optional<uint32_t>());
    const auto below = std::count_if(payloads.begin(), payloads.end(), [&](const auto& payload) {
      return PayloadLess(info.type, payload, absent);
    });
    EXPECT_EQ(*(*dictionary)->LowerBound(absent), static_cast<uint32_t>(below));
  }
}

TEST_F(ColumnsTest, ManyKeysOverflow) {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 5000; ++i) {
    spans.push_back(SpanWith(i, {"key " + std::to_string(i), ValueType::kString, "value"}));
  }
  Write(spans);
  ASSERT_EQ(columns_->columns().size(), 1u);
  EXPECT_EQ(columns_->columns()[0].role, ColumnRole::kOverflow);
  EXPECT_EQ(columns_->columns()[0].value_count, 5000u);
  for (uint32_t i = 0; i < 5000; ++i) EXPECT_TRUE(spans_[i].attributes == spans[i].attributes);
}

TEST_F(ColumnsTest, MostlyDistinctTextIsNoDictionary) {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 2000; ++i) {
    spans.push_back(SpanWith(i, {"id", ValueType::kString, "id-" + std::to_string(i * 7919)}));
    spans.back().attributes.push_back({"size", ValueType::kInt, Fixed64(i * 31)});
  }
  Write(spans);
  ASSERT_EQ(columns_->columns().size(), 2u);
  EXPECT_EQ(columns_->columns()[0].coding, ColumnCoding::kBytes);
  EXPECT_EQ(columns_->columns()[1].coding, ColumnCoding::kNumbers);
  EXPECT_TRUE(Read(0) == Expected(columns_->columns()[0], spans_));
  EXPECT_TRUE(Read(1) == Expected(columns_->columns()[1], spans_));
}

}  // namespace
}  // namespace larder
