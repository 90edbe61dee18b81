// v1 spans to OTLP and back, OTLP to v1 spans and back.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <jaeger/api_v2/model.pb.h>

#include "plugin/v1/from_otlp.h"
#include "plugin/v1/model_fields.h"
#include "plugin/v1/to_otlp.h"
#include "storage/model/span.h"
#include "storage/model/traces_data_writer.h"
#include "storage/model/wire.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"
#include "tests/support/v1_span_generator.h"

namespace larder {
namespace {

namespace api = jaeger::api_v2;

constexpr int kRounds = 3000;

std::string TracesOf(const std::vector<v1::OtlpSpan>& spans) {
  TracesDataWriter writer;
  for (const v1::OtlpSpan& span : spans) writer.Add(span.resource, span.scope, span.span);
  return writer.Finish();
}

std::string ToTraces(const std::string& v1_span) {
  const Result<v1::OtlpSpan> otlp = v1::ToOtlp(v1_span);
  EXPECT_TRUE(otlp.ok()) << otlp.status().ToString();
  return otlp.ok() ? TracesOf({*otlp}) : std::string();
}
std::string ToTraces(const api::Span& span) { return ToTraces(span.SerializeAsString()); }

std::vector<std::string> FromTraces(const std::string& traces, size_t size_bytes_max = SIZE_MAX) {
  std::vector<std::string> spans;
  v1::SpansFromOtlp reader(traces);
  for (;;) {
    const Result<bool> next = reader.Next();
    EXPECT_TRUE(next.ok()) << next.status().ToString();
    if (!next.ok() || !*next) return spans;
    Result<std::string> span = reader.Encode(size_bytes_max);
    EXPECT_TRUE(span.ok()) << span.status().ToString();
    spans.push_back(*span);
  }
}

api::Span Parse(const std::string& message) {
  api::Span span;
  EXPECT_TRUE(span.ParseFromString(message));
  return span;
}
api::Span ThereAndBack(const api::Span& span) {
  const std::vector<std::string> back = FromTraces(ToTraces(span));
  EXPECT_EQ(back.size(), 1U);
  return back.empty() ? api::Span() : Parse(back[0]);
}

Span Decode(const std::string& traces) {
  const Result<std::vector<Span>> spans = DecodeSpans(traces);
  EXPECT_TRUE(spans.ok()) << spans.status().ToString();
  EXPECT_EQ(spans->size(), 1U);
  return spans->front();
}

// A span for the tests of single rules.
api::Span PlainSpan() {
  api::Span span;
  span.set_trace_id("0123456789abcdef");
  span.set_span_id("01234567");
  span.set_operation_name("GET /");
  span.mutable_start_time()->set_seconds(1'760'000'000);
  span.mutable_start_time()->set_nanos(123'456'789);
  span.mutable_duration()->set_nanos(1);
  span.mutable_process()->set_service_name("front");
  return span;
}
void AddTag(api::Span* span, const std::string& key, const std::string& text) {
  api::KeyValue* tag = span->add_tags();
  tag->set_key(key);
  tag->set_v_str(text);
}
void AddError(api::Span* span, bool value) {
  api::KeyValue* tag = span->add_tags();
  tag->set_key("error");
  tag->set_v_type(api::BOOL);
  tag->set_v_bool(value);
}
void AddInt(api::Span* span, const std::string& key, int64_t value) {
  api::KeyValue* tag = span->add_tags();
  tag->set_key(key);
  tag->set_v_type(api::INT64);
  tag->set_v_int64(value);
}

using Texts = std::multiset<std::string>;

template <typename Messages>
Texts TextsOf(const Messages& messages) {
  Texts texts;
  for (const auto& message : messages) texts.insert(message.SerializeAsString());
  return texts;
}

// The tags that Jaeger's mapping may add to what a client sent: a status says itself in all ways.
bool MayBeAdded(const api::KeyValue& tag) {
  return tag.key() == "otel.status_code" || tag.key() == "error" ||
         tag.key() == "otel.status_description";
}

// What comes back is what went in but for the order of some tags and references.
void ExpectSame(const api::Span& sent, const api::Span& got) {
  const Texts tags = TextsOf(sent.tags());
  Texts added;
  Texts got_tags = TextsOf(got.tags());
  for (const std::string& tag : tags) {
    const auto found = got_tags.find(tag);
    ASSERT_NE(found, got_tags.end()) << "lost a tag: " << sent.DebugString() << got.DebugString();
    got_tags.erase(found);
  }
  for (const std::string& tag : got_tags) {
    api::KeyValue parsed;
    ASSERT_TRUE(parsed.ParseFromString(tag));
    EXPECT_TRUE(MayBeAdded(parsed)) << sent.DebugString() << got.DebugString();
  }
  ASSERT_EQ(sent.logs_size(), got.logs_size());
  for (int i = 0; i < sent.logs_size(); ++i) {
    EXPECT_EQ(sent.logs(i).timestamp().SerializeAsString(),
              got.logs(i).timestamp().SerializeAsString());
    EXPECT_EQ(TextsOf(sent.logs(i).fields()), TextsOf(got.logs(i).fields()));
  }
  const Texts references = TextsOf(sent.references());
  const Texts got_references = TextsOf(got.references());
  EXPECT_EQ(std::set(references.begin(), references.end()),
            std::set(got_references.begin(), got_references.end()))
      << sent.DebugString() << got.DebugString();
  api::Span sent_rest = sent;
  api::Span got_rest = got;
  for (api::Span* span : {&sent_rest, &got_rest}) {
    span->clear_tags();
    span->clear_logs();
    span->clear_references();
  }
  EXPECT_EQ(sent_rest.SerializeAsString(), got_rest.SerializeAsString())
      << sent.DebugString() << got.DebugString();
}

TEST(V1TranslationTest, KeepsRandomV1Spans) {
  Random random(TestSeed());
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) {
    const api::Span span = RandomV1Span(&random);
    ExpectSame(span, ThereAndBack(span));
  }
}

// What v1 has room for.
Span Reduce(Span span) {
  Resource resource;
  resource.attributes = span.resource->attributes;
  span.resource = std::make_shared<Resource>(std::move(resource));
  Scope scope;
  scope.name = span.scope->name;
  if (!scope.name.empty()) scope.version = span.scope->version;
  span.scope = std::make_shared<Scope>(std::move(scope));
  // A failed HTTP call is an error, whatever the span's status says.
  std::erase_if(span.attributes, [](const Attribute& a) { return a.key == "http.status_code"; });
  // A link into the own trace is a reference that may pass for the parent.
  if (span.parent_span_id.is_zero()) {
    std::erase_if(span.links, [&](const Link& link) { return link.trace_id == span.trace_id; });
  }
  for (Link& link : span.links) {
    link.attributes = {{"opentracing.ref_type", ValueType::kString, "follows_from"}};
    link.trace_state.clear();
    link.flags = 0;
  }
  span.flags &= 1;
  return span;
}

TEST(V1TranslationTest, KeepsRandomOtlpSpans) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.hostile_one_in = 0});
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) {
    const Span span = Reduce(generator.Next());
    const std::vector<std::string> v1_spans = FromTraces(EncodeSpans({span}));
    ASSERT_EQ(v1_spans.size(), 1U);
    EXPECT_TRUE(Decode(ToTraces(v1_spans[0])) == span) << Parse(v1_spans[0]).DebugString();
  }
}

TEST(V1TranslationTest, TakesAnyOtlpSpan) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.hostile_one_in = 2});
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) {
    const std::vector<Span> spans = generator.Batch(3);
    const std::vector<std::string> v1_spans = FromTraces(EncodeSpans(spans));
    ASSERT_EQ(v1_spans.size(), spans.size());
    for (size_t k = 0; k < spans.size(); ++k) {
      const Span back = Decode(ToTraces(v1_spans[k]));
      EXPECT_EQ(back.name, spans[k].name);
      EXPECT_EQ(back.start_ns, spans[k].start_ns);
      EXPECT_GE(back.links.size(), spans[k].links.empty() ? 0U : spans[k].links.size() - 1);
    }
  }
}

TEST(V1TranslationTest, BrokenInputIsAnError) {
  const std::string span = PlainSpan().SerializeAsString();
  const std::string traces = ToTraces(span);
  for (size_t size = 0; size < span.size(); ++size) {
    const Result<v1::OtlpSpan> otlp = v1::ToOtlp(span.substr(0, size));
    if (!otlp.ok()) {
      EXPECT_EQ(otlp.status().code(), StatusCode::kInvalidArgument);
    }
  }
  for (size_t size = 1; size < traces.size(); ++size) {
    const std::string cut = traces.substr(0, size);
    EXPECT_FALSE(v1::SpansFromOtlp(cut).Next().ok()) << size;
  }
  Random random(TestSeed());
  for (int i = 0; i < kRounds; ++i) {
    std::string noisy = RandomV1Span(&random).SerializeAsString();
    noisy[random.Below(noisy.size())] = static_cast<char>(random.Next());
    const Result<v1::OtlpSpan> otlp = v1::ToOtlp(noisy);
    if (otlp.ok()) {
      EXPECT_EQ(FromTraces(TracesOf({*otlp})).size(), 1U);
    }
  }
}

TEST(V1TranslationTest, JudgesIds) {
  api::Span span = PlainSpan();
  span.set_trace_id("89abcdef");  // the lower half
  EXPECT_EQ(ThereAndBack(span).trace_id(), std::string(8, '\0') + "89abcdef");
  for (const std::string& id : {std::string("123"), std::string(16, '\0'), std::string(17, 'x')}) {
    span.set_trace_id(id);
    EXPECT_FALSE(v1::ToOtlp(span.SerializeAsString()).ok()) << id.size();
  }
  span = PlainSpan();
  for (const std::string& id : {std::string(), std::string(8, '\0'), std::string(16, 'x')}) {
    span.set_span_id(id);
    EXPECT_FALSE(v1::ToOtlp(span.SerializeAsString()).ok()) << id.size();
  }
}

TEST(V1TranslationTest, KeepsTextThatIsNotUtf8) {
  api::Span span = PlainSpan();
  span.set_operation_name("x");
  std::string message = span.SerializeAsString();
  const size_t at = message.find('x');
  ASSERT_NE(at, std::string::npos);
  message[at] = '\xff';
  const std::vector<std::string> back = FromTraces(ToTraces(message));
  ASSERT_EQ(back.size(), 1U);
  EXPECT_NE(back[0].find("\x1a\x01\xff"), std::string::npos);
}

struct StatusCase {
  const char* name;
  void (*add_tags)(api::Span* span);
  int32_t code;
  const char* message;
  size_t attributes;  // that are left
};

TEST(V1TranslationTest, FindsTheStatus) {
  const StatusCase cases[] = {
      {"none", [](api::Span*) {}, 0, "", 0},
      {"error", [](api::Span* s) { AddError(s, true); }, 2, "", 0},
      {"no error", [](api::Span* s) { AddError(s, false); }, 0, "", 1},
      {"error as text", [](api::Span* s) { AddTag(s, "error", "true"); }, 0, "", 1},
      {"ok", [](api::Span* s) { AddTag(s, "otel.status_code", "ok"); }, 1, "", 0},
      {"unknown", [](api::Span* s) { AddTag(s, "otel.status_code", "fine"); }, 0, "", 1},
      {"error with text",
       [](api::Span* s) {
         AddTag(s, "otel.status_code", "ERROR");
         AddTag(s, "otel.status_description", "why");
       },
       2, "why", 0},
      {"error beats ok",
       [](api::Span* s) {
         AddTag(s, "otel.status_code", "OK");
         AddError(s, true);
         AddTag(s, "http.status_message", "bad");
       },
       2, "bad", 1},
      {"HTTP 500", [](api::Span* s) { AddInt(s, "http.status_code", 500); }, 2, "", 1},
      {"HTTP 200", [](api::Span* s) { AddInt(s, "http.status_code", 200); }, 0, "", 1},
      {"HTTP 404 as text", [](api::Span* s) { AddTag(s, "http.status_code", "404"); }, 2, "", 1},
      {"HTTP 404 of a server",
       [](api::Span* s) {
         AddTag(s, "span.kind", "server");
         AddInt(s, "http.status_code", 404);
       },
       0, "", 1},
      {"HTTP nonsense", [](api::Span* s) { AddTag(s, "http.status_code", "x"); }, 0, "", 1},
  };
  for (const StatusCase& each : cases) {
    api::Span span = PlainSpan();
    each.add_tags(&span);
    const Span otlp = Decode(ToTraces(span));
    EXPECT_EQ(otlp.status_code, each.code) << each.name;
    EXPECT_EQ(otlp.status_message, each.message) << each.name;
    EXPECT_EQ(otlp.attributes.size(), each.attributes) << each.name;
  }
}

TEST(V1TranslationTest, TimeThatIsNotSetIsZero) {
  api::Span span = PlainSpan();
  span.mutable_start_time()->set_seconds(-62'135'596'800);
  span.mutable_start_time()->set_nanos(0);
  const Span otlp = Decode(ToTraces(span));
  EXPECT_EQ(otlp.start_ns, 0U);
  EXPECT_EQ(otlp.end_ns, 1U);
}

TEST(V1TranslationTest, ForeignRestIsNotWritten) {
  Span otlp = Decode(ToTraces(PlainSpan()));
  for (const std::string rest : {"\xff\xff\xff", "\x0a\x01x", "\x28\x03\x5a\x01p"}) {
    otlp.unknown.clear();
    wire::AppendBytes(v1::kRestInOtlp, rest, &otlp.unknown);
    const std::string traces = EncodeSpans({otlp});
    v1::SpansFromOtlp reader(traces);
    ASSERT_TRUE(reader.Next().ok());
    const Result<std::string> span = reader.Encode();
    ASSERT_TRUE(span.ok()) << span.status().ToString();
    EXPECT_EQ(Parse(*span).trace_id(), PlainSpan().trace_id());
    EXPECT_EQ(Parse(*span).process_id(), rest.size() == 5 ? "p" : "");
    EXPECT_EQ(Parse(*span).flags(), rest.size() == 5 ? 3U : 0U);
  }
}

TEST(V1TranslationTest, CutsWhatIsTooLarge) {
  api::Span span = PlainSpan();
  AddTag(&span, "long", std::string(5 << 20, 'x'));
  AddTag(&span, "short", "kept");
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> back = FromTraces(ToTraces(span), 3 << 20);
    ASSERT_EQ(back.size(), 1U);
    EXPECT_LE(back[0].size(), 3U << 20);
    const api::Span got = Parse(back[0]);
    EXPECT_EQ(got.warnings_size(), 1);
    EXPECT_EQ(got.process().service_name(), "front");
    EXPECT_EQ(got.tags(1).v_str(), "kept");
    EXPECT_EQ(FromTraces(ToTraces(span))[0].size() > 5U << 20, true);
    // The next rounds need the harder cuts.
    for (int k = 0; k < 5000 && i == 0; ++k) AddTag(&span, "k", std::string(1000, 'y'));
    for (int k = 0; k < 40'000 && i == 1; ++k) AddTag(&span, "more", std::string(200, 'z'));
  }
}

}  // namespace
}  // namespace larder
