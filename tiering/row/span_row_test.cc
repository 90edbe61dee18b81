#include "tiering/row/span_row.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/span_generator.h"
#include "tiering/row/json_value.h"
#include "tiering/row/packer.h"
#include "tiering/row/row_reader.h"
#include "tiering/row/row_test_support.h"
#include "tiering/row/row_text.h"

namespace larder {
namespace {

using Json = nlohmann::json;

TraceId Trace(uint8_t first, uint8_t last) {
  TraceId id;
  id.bytes.front() = first;
  id.bytes.back() = last;
  return id;
}

SpanId IdOf(uint8_t last) {
  SpanId id;
  id.bytes.back() = last;
  return id;
}

// The span of the example in SLS.md.
Span Example() {
  Span span;
  span.trace_id = Trace(0, 0xab);
  span.span_id = IdOf(2);
  span.parent_span_id = IdOf(1);
  span.name = "GET /cart";
  span.kind = 2;
  span.start_ns = 1'700'000'000'123'456'789;
  span.end_ns = span.start_ns + 1'500'000;
  span.attributes = {TextAttribute("http.method", "GET"),
                     AttributeOfJson("http.status_code", Json(500)),
                     AttributeOfJson("items", Json::array({1, "two"}))};
  span.events = {{.time_ns = span.start_ns + 1,
                  .name = "retry",
                  .attributes = {AttributeOfJson("count", Json(2))}}};
  span.links = {{.trace_id = Trace(1, 1), .span_id = IdOf(9), .trace_state = "a=b"}};
  span.status_code = 2;
  span.status_message = "no cart";
  span.flags = 1;
  Resource resource;
  resource.attributes = {TextAttribute("service.name", "cart"), TextAttribute("host.name", "h1")};
  span.resource = std::make_shared<Resource>(resource);
  Scope scope;
  scope.name = "io.otel.http";
  scope.version = "1.2";
  span.scope = std::make_shared<Scope>(scope);
  return span;
}

SlsSpanRow WriteRow(const Span& span, SpanRowOptions options = {}) {
  SpanRowWriter writer(options);
  const OwnedPieces pieces = PiecesOf(span);
  auto row = writer.Write(pieces.view());
  EXPECT_TRUE(row.ok()) << row.status().ToString();
  return std::move(row).value();
}

Span ReadRow(const SlsSpanRow& row) {
  std::vector<SlsColumns> parts;
  for (const SlsLog& part : row.continuations) parts.push_back(ColumnsOf(part));
  const SlsColumns columns = ColumnsOf(row.log);
  const auto message = PayloadKindOf(columns) == PayloadKind::kParts ? JoinPayload(columns, parts)
                                                                     : ReadSpanRow(columns);
  EXPECT_TRUE(message.ok()) << message.status().ToString();
  const auto spans = DecodeSpans(*message);
  EXPECT_TRUE(spans.ok()) << spans.status().ToString();
  EXPECT_EQ(spans->size(), 1U);
  return spans->front();
}

// What SLS would refuse a whole group for.
void ExpectAcceptable(const SlsLog& log) {
  std::set<std::string> keys;
  for (const auto& [key, value] : log.contents) {
    EXPECT_TRUE(keys.insert(key).second) << key;
    EXPECT_EQ(ValidUtf8(value), value) << key;
    EXPECT_LE(key.size(), 128U);
  }
}

// Search finds no value in JSON within JSON.
TEST(SpanRowWide, IsSaidOfARowWhoseLinksHaveAttributes) {
  Span span = Example();
  EXPECT_EQ(WriteRow(span).log.value(kWideKey), "");
  span.links[0].attributes = {TextAttribute("a", "v")};
  EXPECT_EQ(WriteRow(span).log.value(kWideKey), "1");
  span = Example();
  auto scope = std::make_shared<Scope>(*span.scope);
  scope->attributes = {TextAttribute("a", "v")};
  span.scope = scope;
  EXPECT_EQ(WriteRow(span).log.value(kWideKey), "1");
}

TEST(SlsSpanRow, WhateverComesInComesOut) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.hostile_one_in = 3});
  SpanRowWriter writer({});
  for (int i = 0; i < 2000; ++i) {
    const Span span = generator.Next();
    const OwnedPieces pieces = PiecesOf(span);
    const auto row = writer.Write(pieces.view());
    ASSERT_TRUE(row.ok()) << row.status().ToString();
    ExpectAcceptable(row->log);
    EXPECT_EQ(ReadRow(*row), span) << i;
    // aliyun-log-jaeger drops a span for any of these that it cannot read.
    for (const char* map : {"attribute", "resource"}) {
      const Json members = Json::parse(row->log.value(map));
      for (const auto& [key, value] : members.items()) {
        EXPECT_TRUE(value.is_string()) << key;
      }
    }
    EXPECT_TRUE(Json::parse(row->log.value("links")).is_array());
    for (const Json& event : Json::parse(row->log.value("logs"))) {
      EXPECT_TRUE(event["time"].is_number_unsigned());
    }
  }
}

TEST(SlsSpanRow, EqualSpansGiveEqualRows) {
  const SlsSpanRow row = WriteRow(Example());
  EXPECT_EQ(row.log, WriteRow(Example()).log);
}

TEST(SlsSpanRow, ALargeSpanContinuesInLogsOfItsOwn) {
  Random random(TestSeed());
  Span span = Example();
  for (int i = 0; i < 3; ++i) {
    std::string bytes(900 << 10, '\0');
    for (char& c : bytes) c = static_cast<char>('!' + random.Below(90));
    span.attributes.push_back(TextAttribute("large" + std::to_string(i), std::move(bytes)));
  }
  const SlsSpanRow row = WriteRow(span);
  ASSERT_GT(row.continuations.size(), 2U);
  EXPECT_EQ(row.log.value(kTruncatedKey), "1");
  EXPECT_EQ(row.log.value(kWideKey), "1");
  for (const SlsLog& part : row.continuations) {
    ExpectAcceptable(part);
    EXPECT_EQ(part.value("traceID"), "");
    EXPECT_LT(EncodeLogGroup({.logs = {part}}).size(), 900U << 10);
  }
  EXPECT_LT(EncodeLogGroup({.logs = {row.log}}).size(), 900U << 10);
  EXPECT_EQ(ReadRow(row), span);
  SlsSpanRow torn = row;
  torn.continuations.pop_back();
  EXPECT_EQ(JoinPayload(ColumnsOf(torn.log), {ColumnsOf(torn.continuations[0])}).status().code(),
            StatusCode::kDataLoss);
}

TEST(SlsSpanRow, WithoutPayloadTheColumnsCarryTheSpan) {
  Span span = Example();
  const Span found = ReadRow(WriteRow(span, {.writes_raw_payload = false}));
  // What columns cannot say: types, and resource and link attributes' order.
  span.attributes[1] = TextAttribute("http.status_code", "500");
  span.attributes[2] = TextAttribute("items", "[1,\"two\"]");
  span.events[0].attributes[0] = TextAttribute("count", "2");
  span.end_ns = found.end_ns;
  EXPECT_EQ(found.end_ns / 1000, Example().end_ns / 1000);
  EXPECT_EQ(found, span);
}

TEST(SlsSpanRow, ARestampedRowSaysSo) {
  SpanRowWriter writer({});
  const OwnedPieces pieces = PiecesOf(Example());
  const auto row = writer.Write(pieces.view(), 1'800'000'000);
  EXPECT_EQ(row->log.time_s, 1'800'000'000U);
  EXPECT_EQ(row->log.value(kRestampedKey), "1");
  EXPECT_EQ(row->log.value("start"), "1700000000123456");
  EXPECT_EQ(ReadRow(*row), Example());
}

// A search by value takes the first of equal keys, the column has the last.
TEST(SlsSpanRow, AKeyThatComesTwiceIsAlwaysLookedAt) {
  EXPECT_EQ(WriteRow(Example()).log.value(kWideKey), "");
  Span twice = Example();
  twice.attributes.push_back({"k", ValueType::kString, "first"});
  twice.attributes.push_back({"k", ValueType::kString, "last"});
  EXPECT_EQ(WriteRow(twice).log.value(kWideKey), "1");
  Span of_resource = Example();
  auto resource = std::make_shared<Resource>(*of_resource.resource);
  resource->attributes.push_back({"r", ValueType::kString, "first"});
  resource->attributes.push_back({"r", ValueType::kString, "last"});
  of_resource.resource = resource;
  EXPECT_EQ(WriteRow(of_resource).log.value(kWideKey), "1");
}

TEST(SlsSpanRow, TraceIdsHaveTwoSpellings) {
  EXPECT_EQ(WriteRow(Example()).log.value("traceID"), "00000000000000ab");
  EXPECT_EQ(WriteRow(Example(), {.trace_ids = SlsTraceIds::kW3c}).log.value("traceID"),
            "000000000000000000000000000000ab");
  Span wide = Example();
  wide.trace_id = Trace(1, 2);
  EXPECT_EQ(WriteRow(wide).log.value("traceID"), "01000000000000000000000000000002");
}

TEST(SlsSpanRow, BrokenBytesAreTold) {
  SpanRowWriter writer({});
  EXPECT_EQ(writer.Write({"", "", "\xff"}).status().code(), StatusCode::kDataLoss);
  for (const char* payload : {"", "2:AAAA", "1:!!!!", "1:AAAA", "0:A"}) {
    SlsColumns row = ColumnsOf(WriteRow(Example()).log);
    row["otlp.raw"] = payload;
    EXPECT_EQ(ReadSpanRow(row).status().code(), StatusCode::kDataLoss) << payload;
  }
}

TEST(RowText, RepairsWhatIsNotUtf8) {
  EXPECT_EQ(ValidUtf8("a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80"),
            "a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80");
  for (const char* broken : {"\xff", "\xc3", "\xc0", "\xe0\x80", "\xed\xa0", "\xf5"}) {
    EXPECT_TRUE(ValidUtf8(broken).starts_with("\xef\xbf\xbd")) << broken;
  }
  EXPECT_EQ(ValidUtf8(std::string("\xc3") + "a"),
            "\xef\xbf\xbd"
            "a");
  EXPECT_EQ(CutUtf8("a\xc3\xa9", 2), "a");
  EXPECT_EQ(CutUtf8("ab", 2), "ab");
}

TEST(Packer, GroupsStayWithinTheLimitsAndAreStable) {
  Random random(TestSeed());
  SpanGenerator generator(&random);
  SpanRowWriter writer({});
  std::vector<SlsSpanRow> rows;
  for (int i = 0; i < 3000; ++i) rows.push_back(*writer.Write(PiecesOf(generator.Next()).view()));
  const auto pack = [&] {
    Packer packer({.pack_name = "larder-1", .tags = {{"larder_scope", "s"}}});
    for (const SlsSpanRow& row : rows) packer.Add(row);
    return packer.Finish();
  };
  const auto groups = pack();
  ASSERT_GT(groups.size(), 1U);
  uint32_t spans = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    EXPECT_LE(groups[i].bytes.size(), kGroupBytesMax);
    EXPECT_LE(groups[i].logs, kGroupLogsMax);
    const auto group = DecodeLogGroup(groups[i].bytes);
    ASSERT_TRUE(group.ok()) << group.status().ToString();
    EXPECT_EQ(group->logs.size(), groups[i].logs);
    EXPECT_EQ(group->tags.back(),
              std::pair(std::string("__pack_id__"), "larder-1-" + std::to_string(i)));
    spans += groups[i].spans;
  }
  EXPECT_EQ(spans, 3000U);
  const auto again = pack();
  ASSERT_EQ(again.size(), groups.size());
  for (size_t i = 0; i < groups.size(); ++i) EXPECT_EQ(again[i].bytes, groups[i].bytes);
}

// The example of the page is what is written, and is read back.
TEST(SlsPage, TheExampleHolds) {
  std::ifstream file(LARDER_SLS_PAGE);
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const size_t begin = text.find("```json\n");
  ASSERT_NE(begin, std::string::npos);
  const Json example = Json::parse(text.substr(begin + 8, text.find("```", begin + 8) - begin - 8));
  const SlsColumns written = ColumnsOf(WriteRow(Example()).log);
  for (const auto& [key, value] : written) {
    // The bytes of zstd are its version's; that they are read is shown below.
    if (key != kRawKey) {
      EXPECT_EQ(example.value(key, "(missing)"), value) << key;
    }
  }
  EXPECT_EQ(example.size(), written.size());
  SlsColumns row;
  for (const auto& [key, value] : example.items()) row[key] = value.get<std::string>();
  const auto spans = DecodeSpans(*ReadSpanRow(row));
  ASSERT_TRUE(spans.ok());
  EXPECT_EQ(spans->front(), Example());
}

}  // namespace
}  // namespace larder
