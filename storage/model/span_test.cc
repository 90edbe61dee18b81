#include "storage/model/span.h"

#include <gtest/gtest.h>

#include "storage/model/traces_data_writer.h"

namespace larder {
namespace {

TraceId MakeTraceId(uint8_t n) {
  TraceId id;
  id.bytes[15] = n;
  return id;
}

SpanId MakeSpanId(uint8_t n) {
  SpanId id;
  id.bytes[7] = n;
  return id;
}

Span FullSpan() {
  Span span;
  span.trace_id = MakeTraceId(1);
  span.span_id = MakeSpanId(2);
  span.parent_span_id = MakeSpanId(3);
  span.trace_state = "a=b";
  span.name = "GET \xff";
  span.kind = -7;  // no kind of OTLP's, kept all the same
  span.start_ns = 1;
  span.end_ns = UINT64_MAX;
  span.attributes = {{"k", ValueType::kString, "v"}, {"k", ValueType::kString, "w"}};
  span.dropped_attributes = 4;
  span.events = {{.time_ns = 5,
                  .name = "e",
                  .attributes = {{"x", ValueType::kEmpty, ""}},
                  .dropped_attributes = 6,
                  .unknown = "\x7a\x01u"},
                 {}};
  span.dropped_events = 7;
  span.links = {{.trace_id = MakeTraceId(8),
                 .span_id = MakeSpanId(9),
                 .trace_state = "s",
                 .attributes = {{"y", ValueType::kBytes, "z"}},
                 .dropped_attributes = 10,
                 .flags = 11,
                 .unknown = "\x7a\x01v"},
                {}};
  span.dropped_links = 12;
  span.status_code = 2;
  span.status_message = "bad";
  span.status_unknown = "\x08\x05";  // the deprecated code, number 1
  span.flags = 0x301;
  span.unknown = "\xfa\x07\x01w";
  span.resource = std::make_shared<Resource>(
      Resource{.attributes = {{"service.name", ValueType::kString, "shop"}},
               .dropped_attributes = 13,
               .schema_url = "url",
               .unknown = "\x7a\x01x",
               .outer_unknown = "\x7a\x01y"});
  span.scope = std::make_shared<Scope>(Scope{.name = "lib",
                                             .version = "1",
                                             .attributes = {{"s", ValueType::kString, "t"}},
                                             .dropped_attributes = 14,
                                             .schema_url = "url2",
                                             .unknown = "\x7a\x01z",
                                             .outer_unknown = "\x7a\x01q"});
  return span;
}

TEST(SpanTest, EveryFieldSurvives) {
  Span empty;
  empty.resource = std::make_shared<Resource>();
  empty.scope = std::make_shared<Scope>();
  const std::vector<Span> spans = {FullSpan(), empty, FullSpan()};
  const auto decoded = DecodeSpans(EncodeSpans(spans));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, spans);
  EXPECT_EQ((*decoded)[0].resource->service(), "shop");
}

TEST(SpanTest, EqualityLooksAtResourceAndScopeByValue) {
  const Span a = FullSpan();
  Span b = FullSpan();
  EXPECT_EQ(a, b);
  b.scope = std::make_shared<Scope>();
  EXPECT_NE(a, b);
}

TEST(SpanTest, RefusesWhatIsNotOtlp) {
  EXPECT_TRUE(DecodeSpans("").ok());
  EXPECT_FALSE(DecodeSpans("\x0a").ok());
  EXPECT_FALSE(DecodeSpans("\x08\x01").ok());
  const std::string message = EncodeSpans({FullSpan()});
  for (size_t size = 1; size < message.size(); ++size) {
    EXPECT_FALSE(DecodeSpans(message.substr(0, size)).ok()) << size;
  }
}

TEST(TracesDataWriterTest, RunsShareGroupsAndMessagesConcatenate) {
  TracesDataWriter writer;
  EXPECT_TRUE(writer.empty());
  EXPECT_EQ(writer.Finish(), "");
  writer.Add("", "", "");
  writer.Add("", "", "");
  EXPECT_EQ(writer.Finish(), std::string("\x0a\x06\x12\x04\x12\x00\x12\x00", 8));
  EXPECT_TRUE(writer.empty());
  writer.Add("\x1a\x01r", "\x1a\x01s", "");
  writer.Add("\x1a\x01r", "", "");
  EXPECT_GE(writer.size_bytes(), 10u);
  const std::string first = writer.Finish();
  EXPECT_EQ(first, std::string("\x0a\x0e\x1a\x01r\x12\x05\x1a\x01s\x12\x00\x12\x02\x12\x00", 16));
  const auto spans = DecodeSpans(first + first);
  ASSERT_TRUE(spans.ok());
  EXPECT_EQ(spans->size(), 4u);
  EXPECT_EQ((*spans)[3].resource->schema_url, "r");
}

}  // namespace
}  // namespace larder
