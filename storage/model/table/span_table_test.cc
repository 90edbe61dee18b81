#include "storage/model/table/span_table.h"

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/traces_data_writer.h"

namespace larder {
namespace {

Span MakeSpan(uint8_t trace, uint8_t id) {
  Span span;
  span.trace_id.bytes[0] = trace;
  span.span_id.bytes[0] = id;
  span.name = "op";
  span.resource = std::make_shared<Resource>(
      Resource{.attributes = {{"service.name", ValueType::kString, "shop"}}});
  span.scope = std::make_shared<Scope>(Scope{.name = "lib"});
  return span;
}

std::vector<Span> Contents(const SpanTable& table) {
  TracesDataWriter writer;
  for (uint32_t i = 0; i < table.published_rows(); ++i) {
    const SpanRow& row = table.row(i);
    std::string span;
    table.EncodeSpan(i, &span);
    writer.Add(table.resource(row.resource).envelope, table.scope(row.scope).envelope, span);
  }
  return DecodeSpans(writer.Finish()).value();
}

std::vector<uint32_t> Find(const SpanTable& table, const TraceId& id) {
  std::vector<uint32_t> rows;
  table.FindTrace(id, &rows);
  return rows;
}

TEST(SpanTableTest, KeepsWhatIsPublished) {
  SpanTable table;
  const std::vector<Span> spans = {MakeSpan(1, 1), MakeSpan(2, 1), MakeSpan(1, 2)};
  const auto result = table.Append(EncodeSpans(spans), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted_spans, 3u);
  EXPECT_EQ(result->rejected_spans, 0u);
  EXPECT_EQ(table.published_rows(), 0u);
  EXPECT_TRUE(Find(table, spans[0].trace_id).empty());
  table.Publish();
  EXPECT_EQ(table.published_rows(), 3u);
  EXPECT_EQ(Contents(table), spans);
  EXPECT_EQ(Find(table, spans[0].trace_id), (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(Find(table, spans[1].trace_id), (std::vector<uint32_t>{1}));
  EXPECT_TRUE(Find(table, MakeSpan(9, 9).trace_id).empty());
  EXPECT_EQ(table.resource_count(), 1u);
  EXPECT_EQ(table.resource(0).service, "shop");
  EXPECT_EQ(table.scope(0).name, "lib");
}

TEST(SpanTableTest, RollbackForgets) {
  SpanTable table;
  ASSERT_TRUE(table.Append(EncodeSpans({MakeSpan(1, 1)}), {}).ok());
  table.Publish();
  ASSERT_TRUE(table.Append(EncodeSpans({MakeSpan(2, 2)}), {}).ok());
  table.Rollback();
  table.Publish();
  EXPECT_EQ(table.published_rows(), 1u);
  ASSERT_TRUE(table.Append(EncodeSpans({MakeSpan(3, 3)}), {}).ok());
  table.Publish();
  EXPECT_EQ(Contents(table), (std::vector<Span>{MakeSpan(1, 1), MakeSpan(3, 3)}));
  EXPECT_TRUE(Find(table, MakeSpan(2, 2).trace_id).empty());
}

TEST(SpanTableTest, PairsTellKeyTypeAndPayload) {
  const int64_t number = 42;
  const std::string payload(reinterpret_cast<const char*>(&number), 8);
  Span span = MakeSpan(1, 1);
  span.attributes = {{"n", ValueType::kInt, payload},
                     {"b", ValueType::kBool, std::string(1, '\1')},
                     {"s", ValueType::kString, "text"},
                     {"s", ValueType::kString, "text"},
                     {"s", ValueType::kBytes, "text"}};
  SpanTable table;
  ASSERT_TRUE(table.Append(EncodeSpans({span}), {}).ok());
  table.Publish();
  const std::span<const PairId> pairs = table.pairs(table.row(0).attributes);
  ASSERT_EQ(pairs.size(), 5u);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const PairView pair = table.pair(pairs[i]);
    EXPECT_EQ(pair.attribute.key, span.attributes[i].key);
    EXPECT_EQ(pair.attribute.type, span.attributes[i].type);
    EXPECT_EQ(pair.attribute.payload, span.attributes[i].payload);
    EXPECT_EQ(table.column(pair.column).key, span.attributes[i].key);
    EXPECT_EQ(table.column(pair.column).type, span.attributes[i].type);
  }
  EXPECT_EQ(pairs[2], pairs[3]);
  EXPECT_EQ(table.pair_count(), 4u);
  EXPECT_EQ(table.column_count(), 4u);
}

TEST(SpanTableTest, RejectsSingleSpansWithAReason) {
  Span no_trace = MakeSpan(0, 1);
  Span no_span = MakeSpan(1, 0);
  Span large = MakeSpan(1, 2);
  large.attributes = {{"ok", ValueType::kString, "v"},
                      {"big", ValueType::kString, std::string(101, 'x')}};
  Span large_event = MakeSpan(1, 3);
  large_event.events = {{.attributes = {large.attributes[1]}}};
  const struct {
    Span span;
    std::string reason;
  } cases[] = {
      {no_trace, "span 1: trace id has 0 bytes, not 16"},
      {no_span, "span 1: span id has 0 bytes, not 8"},
      {large, "span 1: attribute 1: key or value larger than 100 bytes"},
      {large_event, "span 1: event 0, attribute 0: key or value larger than 100 bytes"},
  };
  for (const auto& [span, reason] : cases) {
    SpanTable table;
    const auto result = table.Append(EncodeSpans({MakeSpan(7, 7), span, MakeSpan(8, 8)}),
                                     {.attribute_value_bytes_max = 100});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->accepted_spans, 2u);
    EXPECT_EQ(result->rejected_spans, 1u);
    EXPECT_EQ(result->first_rejection, reason);
    table.Publish();
    EXPECT_EQ(Contents(table), (std::vector<Span>{MakeSpan(7, 7), MakeSpan(8, 8)}));
  }
}

TEST(SpanTableTest, JudgesIdsOnTheWire) {
  const auto span_with = [](std::string_view fields) {
    TracesDataWriter writer;
    writer.Add("", "", fields);
    return writer.Finish();
  };
  const std::string trace_id = "\x0a\x10" + std::string(16, 't');
  const std::string span_id = "\x12\x08" + std::string(8, 's');
  const struct {
    std::string fields;
    std::string reason;  // empty: accepted
  } cases[] = {
      {trace_id + span_id, ""},
      {trace_id + span_id + "\x22\x08" + std::string(8, '\0'), ""},
      {"\x0a\x0f" + std::string(15, 't') + span_id, "span 0: trace id has 15 bytes, not 16"},
      {"\x0a\x10" + std::string(16, '\0') + span_id, "span 0: trace id is all zero"},
      {trace_id + "\x12\x08" + std::string(8, '\0'), "span 0: span id is all zero"},
      {trace_id + span_id + "\x22\x01p", "span 0: parent span id has 1 bytes, not 0 or 8"},
      {trace_id + span_id + "\x6a\x03\x0a\x01l",
       "span 0: trace id of a link has 1 bytes, not 0 or 16"},
      {trace_id + span_id + "\x6a\x03\x12\x01l",
       "span 0: span id of a link has 1 bytes, not 0 or 8"},
  };
  for (const auto& [fields, reason] : cases) {
    SpanTable table;
    const auto result = table.Append(span_with(fields), {});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->first_rejection, reason);
    EXPECT_EQ(result->accepted_spans, reason.empty() ? 1u : 0u);
  }
}

TEST(SpanTableTest, BrokenMessagesLeaveNothing) {
  Span span = MakeSpan(1, 1);
  span.attributes = {{"k", ValueType::kString, "v"}};
  span.events = {{.name = "e"}};
  const std::string message = EncodeSpans({span, span});
  SpanTable table;
  for (size_t size = 1; size < message.size(); ++size) {
    const auto result = table.Append(message.substr(0, size), {});
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument) << size;
  }
  table.Publish();
  EXPECT_EQ(table.published_rows(), 0u);
  ASSERT_TRUE(table.Append("", {}).ok());
}

}  // namespace
}  // namespace larder
