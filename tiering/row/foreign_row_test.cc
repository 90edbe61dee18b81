// Rows as others write them: aliyun-log-jaeger, the OpenTelemetry Collector's exporter, and the
// documentation of the Trace app.
#include <gtest/gtest.h>

#include "storage/model/value.h"
#include "tiering/base/bounded_json.h"
#include "tiering/row/row_reader.h"

namespace larder {
namespace {

Span Read(const SlsColumns& row) {
  const auto span = SpanOfColumns(row);
  EXPECT_TRUE(span.ok()) << span.status().ToString();
  return *span;
}

std::string Text(const std::vector<Attribute>& attributes, std::string_view key) {
  for (const Attribute& attribute : attributes) {
    if (attribute.key == key) return ValueText(attribute.type, attribute.payload);
  }
  return "(none)";
}

TEST(ForeignRow, OfAliyunLogJaeger) {
  const Span span = Read({
      {"traceID", "0000000000000abc"},
      {"spanID", "00000000000000d1"},
      {"parentSpanID", "00000000000000c1"},
      {"name", "GET /x"},
      {"kind", "server"},
      {"service", "svc-a"},
      {"resource", R"({"ProcessID":"p1","ip":"10.0.0.1"})"},
      {"attribute", R"({"error":"true","http.status_code":"500","span.kind":"server"})"},
      {"links",
       R"([{"RefType":"CHILD_OF","SpanID":"00000000000000c1","TraceID":"0000000000000abc"},)"
       R"({"RefType":"FOLLOWS_FROM","SpanID":"00000000000000e1","TraceID":"0000000000000def"}])"},
      {"logs", R"([{"attribute":{"event":"retry","n":"1"},"time":1700000000123456789}])"},
      {"start", "1700000000123456"},
      {"end", "1700000000124691"},
      {"duration", "1234"},
      {"flags", "1"},
      {"statusCode", "UNSET"},
      {"statusMessage", R"(["clock skew"])"},
  });
  EXPECT_EQ(span.trace_id.bytes[14], 0x0a);
  EXPECT_EQ(span.trace_id.bytes[15], 0xbc);
  EXPECT_EQ(span.parent_span_id.bytes[7], 0xc1);
  EXPECT_EQ(span.kind, 2);
  EXPECT_EQ(span.status_code, 2);
  EXPECT_EQ(span.status_message, "");
  EXPECT_EQ(span.flags, 1U);
  EXPECT_EQ(span.start_ns, 1'700'000'000'123'456'000U);
  EXPECT_EQ(span.end_ns, 1'700'000'000'124'691'000U);
  EXPECT_EQ(Text(span.attributes, "http.status_code"), "500");
  EXPECT_EQ(Text(span.attributes, "span.kind"), "(none)");
  EXPECT_EQ(Text(span.attributes, "error"), "(none)");
  EXPECT_EQ(Text(span.attributes, "@jaeger@warnings"), R"(["clock skew"])");
  EXPECT_EQ(span.resource->service(), "svc-a");
  EXPECT_EQ(Text(span.resource->attributes, "ProcessID"), "p1");
  ASSERT_EQ(span.links.size(), 1U);  // the parent is none
  EXPECT_EQ(span.links[0].span_id.bytes[7], 0xe1);
  ASSERT_EQ(span.events.size(), 1U);
  EXPECT_EQ(span.events[0].name, "retry");
  EXPECT_EQ(span.events[0].time_ns, 1'700'000'000'123'456'789U);
  EXPECT_EQ(Text(span.events[0].attributes, "n"), "1");
  EXPECT_EQ(Text(span.events[0].attributes, "event"), "(none)");
}

TEST(ForeignRow, TheParentMayBeALinkOnly) {
  const Span span = Read({{"traceID", "abc"},
                          {"spanID", "d1"},
                          {"parentSpanID", "0000000000000000"},
                          {"links", R"([{"RefType":"CHILD_OF","SpanID":"c1","TraceID":"abc"}])"}});
  EXPECT_EQ(span.parent_span_id.bytes[7], 0xc1);
  EXPECT_TRUE(span.links.empty());
}

TEST(ForeignRow, OfTheOpenTelemetryExporter) {
  const Span span = Read({
      {"traceID", "0102030405060708090a0b0c0d0e0f10"},
      {"spanID", "0102030405060708"},
      {"parentSpanID", ""},
      {"name", "op"},
      {"kind", "client"},
      {"service", "svc-b"},
      {"host", "h1"},
      {"resource", R"({"os.type":"linux"})"},
      {"attribute",
       R"({"b":true,"d":1.5,"i":42,"l":[1,"x"],"m":{"k":"v"},"s":"t\u003c","z":null})"},
      {"links",
       R"([{"attribute":{"a":1},"spanID":"0807060504030201","traceID":"0102030405060708090a0b0c0d0e0f11"}])"},
      {"logs", R"([{"attribute":{"n":7},"name":"ev","time":1700000000000000001}])"},
      {"traceState", "a=b"},
      {"start", "1700000000000000"},
      {"end", "1700000000000500"},
      {"duration", "500"},
      {"statusCode", "ERROR"},
      {"statusMessage", "broke"},
      {"otlp.name", "lib"},
      {"otlp.version", "2"},
  });
  EXPECT_EQ(span.kind, 3);
  EXPECT_EQ(span.status_code, 2);
  EXPECT_EQ(span.status_message, "broke");
  EXPECT_EQ(span.trace_state, "a=b");
  EXPECT_EQ(span.scope->name, "lib");
  EXPECT_EQ(span.scope->version, "2");
  EXPECT_EQ(span.duration_ns(), 500'000);
  const auto type = [&](std::string_view key) {
    for (const Attribute& attribute : span.attributes) {
      if (attribute.key == key) return attribute.type;
    }
    return ValueType::kRaw;
  };
  EXPECT_EQ(type("b"), ValueType::kBool);
  EXPECT_EQ(type("d"), ValueType::kDouble);
  EXPECT_EQ(type("i"), ValueType::kInt);
  EXPECT_EQ(type("l"), ValueType::kArray);
  EXPECT_EQ(type("m"), ValueType::kKvList);
  EXPECT_EQ(type("z"), ValueType::kEmpty);
  EXPECT_EQ(Text(span.attributes, "l"), R"([1,"x"])");
  EXPECT_EQ(Text(span.attributes, "m"), R"({"k":"v"})");
  EXPECT_EQ(Text(span.attributes, "s"), "t<");
  EXPECT_EQ(Text(span.resource->attributes, "host.name"), "h1");
  ASSERT_EQ(span.links.size(), 1U);
  EXPECT_EQ(span.links[0].trace_id.bytes[15], 0x11);
  EXPECT_EQ(Text(span.links[0].attributes, "a"), "1");
  ASSERT_EQ(span.events.size(), 1U);
  EXPECT_EQ(Text(span.events[0].attributes, "n"), "7");
}

TEST(ForeignRow, OfTheDocumentation) {
  const Span span = Read({
      {"traceID", "abc"},
      {"spanID", "d1"},
      {"kind", "SERVER"},
      {"links", R"([{"TraceID":"def","SpanId":"e1","TraceState":"x=y","Attributes":{"a":"b"}}])"},
      {"start", "1615882567123456789"},  // nanoseconds
      {"end", "1615882567123456999"},
      {"statusCode", "OK"},
  });
  EXPECT_EQ(span.kind, 2);
  EXPECT_EQ(span.status_code, 1);
  EXPECT_EQ(span.start_ns, 1'615'882'567'123'456'789U);
  EXPECT_EQ(span.duration_ns(), 210);
  ASSERT_EQ(span.links.size(), 1U);
  EXPECT_EQ(span.links[0].trace_state, "x=y");
  EXPECT_EQ(Text(span.links[0].attributes, "a"), "b");
}

TEST(ForeignRow, WhatIsNotJsonIsKeptAsText) {
  const Span span = Read({{"traceID", "1"},
                          {"spanID", "1"},
                          {"attribute", "{broken"},
                          {"resource", "[1]"},
                          {"links", "null"},
                          {"logs", "x"}});
  EXPECT_EQ(Text(span.attributes, "attribute"), "{broken");
  EXPECT_EQ(Text(span.resource->attributes, "resource"), "[1]");
  EXPECT_TRUE(span.links.empty());
}

// Whoever walks JSON goes down with it: so deep would end the stack.
TEST(ForeignRow, JsonThatIsTooDeepIsKeptAsText) {
  constexpr size_t kDeep = 1'000'000;
  const std::string deep = std::string(kDeep, '[') + std::string(kDeep, ']');
  const Span span = Read({{"traceID", "1"},
                          {"spanID", "1"},
                          {"attribute", R"({"a":)" + deep + "}"},
                          {"links", deep},
                          {"logs", "[{\"attribute\":" + deep + "}]"}});
  EXPECT_TRUE(Text(span.attributes, "attribute").starts_with(R"({"a":[[)"));
  EXPECT_TRUE(span.links.empty());
  EXPECT_TRUE(span.events.empty());
  const auto nested = [](int levels) {
    return std::string(static_cast<size_t>(levels), '[') +
           std::string(static_cast<size_t>(levels), ']');
  };
  EXPECT_FALSE(ParseBoundedJson(nested(kJsonDepthMax)).is_discarded());
  EXPECT_TRUE(ParseBoundedJson(nested(kJsonDepthMax + 1)).is_discarded());
}

TEST(ForeignRow, AMessageMayNotTakeMoreThanItsMemory) {
  const std::string payload = EncodeRawPayload(std::string(10'000'000, 'x'));
  EXPECT_LT(payload.size(), 10'000U);
  uint64_t asked = 0;
  const auto refused = ReadSpanRow({{"otlp.raw", payload}}, [&asked](uint64_t bytes) {
    asked = bytes;
    return Status::ResourceExhausted("the query's memory");
  });
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(asked, 10'000'000U);
}

TEST(ForeignRow, RowsWithoutIdsAreNoSpans) {
  for (const SlsColumns& row :
       {SlsColumns{}, SlsColumns{{"traceID", "null"}, {"spanID", "1"}},
        SlsColumns{{"traceID", "1"}, {"spanID", ""}}, SlsColumns{{"traceID", "0"}, {"spanID", "1"}},
        SlsColumns{{"traceID", std::string(33, '1')}, {"spanID", "1"}}}) {
    EXPECT_EQ(SpanOfColumns(row).status().code(), StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace larder
