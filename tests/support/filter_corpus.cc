#include "tests/support/filter_corpus.h"

#include <cstring>
#include <memory>
#include <utility>

#include "storage/base/check.h"

namespace larder {
namespace {

Attribute Text(std::string key, std::string value) {
  return {std::move(key), ValueType::kString, std::move(value)};
}

template <typename T>
std::string Payload(T value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

Attribute Int(std::string key, int64_t value) {
  return {std::move(key), ValueType::kInt, Payload(value)};
}
Attribute Double(std::string key, double value) {
  return {std::move(key), ValueType::kDouble, Payload(value)};
}
Attribute Bool(std::string key, bool value) {
  return {std::move(key), ValueType::kBool, std::string(1, value ? '\1' : '\0')};
}

std::shared_ptr<const Resource> MakeResource(std::vector<Attribute> attributes) {
  auto resource = std::make_shared<Resource>();
  resource->attributes = std::move(attributes);
  return resource;
}

std::shared_ptr<const Scope> MakeScope(std::string name, std::string version = "",
                                       std::vector<Attribute> attributes = {}) {
  auto scope = std::make_shared<Scope>();
  scope->name = std::move(name);
  scope->version = std::move(version);
  scope->attributes = std::move(attributes);
  return scope;
}

TraceId Trace(uint8_t number) {
  TraceId id;
  id.bytes[1] = 0xAB;
  id.bytes[2] = 0xC0;
  id.bytes[15] = number;
  return id;
}

SpanId Id(uint8_t number) {
  SpanId id;
  id.bytes[0] = 0x10;
  id.bytes[7] = number;
  return id;
}

// Microseconds, since no span of the corpus needs less.
Span MakeSpan(uint8_t trace, uint8_t id, std::string name, int32_t kind, uint64_t start_us,
              uint64_t duration_us) {
  Span span;
  span.trace_id = Trace(trace);
  span.span_id = Id(id);
  span.name = std::move(name);
  span.kind = kind;
  span.start_ns = kCorpusStartNs + start_us * 1000;
  span.end_ns = span.start_ns + duration_us * 1000;
  return span;
}

Event MakeEvent(const Span& span, uint64_t after_us, std::string name,
                std::vector<Attribute> attributes) {
  Event event;
  event.time_ns = span.start_ns + after_us * 1000;
  event.name = std::move(name);
  event.attributes = std::move(attributes);
  return event;
}

Link MakeLink(uint8_t trace, uint8_t id, std::string trace_state,
              std::vector<Attribute> attributes) {
  Link link;
  link.trace_id = Trace(trace);
  link.span_id = Id(id);
  link.trace_state = std::move(trace_state);
  link.attributes = std::move(attributes);
  return link;
}

void AddFrontend(std::vector<Span>* spans) {
  auto resource = std::make_shared<Resource>();
  resource->attributes = {Text("service.name", "frontend"), Text("deployment.environment", "prod"),
                          Text("k8s.pod.name", "fe-1"), Text("shared", "res")};
  resource->schema_url = "https://opentelemetry.io/schemas/1.21.0";
  auto scope = std::make_shared<Scope>();
  scope->name = "otelhttp";
  scope->version = "1.2.0";
  scope->attributes = {Text("lib.lang", "go")};
  scope->schema_url = "https://opentelemetry.io/schemas/1.22.0";

  Span s11 = MakeSpan(1, 0x0B, "GET /checkout", 2, 0, 2'500'000);
  s11.attributes = {Text("http.method", "GET"), Int("http.status_code", 500),
                    Bool("retry", true),        Double("ratio", 0.75),
                    Text("note", ""),           Int("size", 4096),
                    Text("shared", "spn"),      Text("duration", "fake")};
  s11.status_code = 2;
  s11.status_message = "payment declined";
  s11.trace_state = "vendor=a";
  s11.events = {
      MakeEvent(s11, 10, "exception", {Text("exception.type", "Timeout"), Int("attempt", 1)}),
      MakeEvent(s11, 100, "retry", {Int("attempt", 2), Text("shared", "evt")})};
  s11.links = {MakeLink(3, 0x1F, "", {Text("link.kind", "follows")}),
               MakeLink(4, 0x29, "vendor=x", {Text("link.kind", "child"), Int("weight", 7)})};
  Span s12 = MakeSpan(1, 0x0C, "POST /pay", 3, 10'000, 1'000'000);
  s12.attributes = {Text("http.method", "POST"), Text("http.status_code", "500"),
                    Text("size", "9")};
  s12.parent_span_id = Id(0x0B);
  for (Span* span : {&s11, &s12}) {
    span->resource = resource;
    span->scope = scope;
    spans->push_back(std::move(*span));
  }
}

void AddPayment(std::vector<Span>* spans) {
  Span s13 = MakeSpan(1, 0x0D, "charge", 2, 20'000, 2'000'000);
  s13.attributes = {Double("amount", 500), Int("size", 500), Text("enduser.id", "u1")};
  s13.status_code = 1;
  s13.parent_span_id = Id(0x0C);
  s13.events = {MakeEvent(s13, 10, "exception", {Text("phase", "a")}),
                MakeEvent(s13, 60, "late", {Text("phase", "b")})};
  s13.resource =
      MakeResource({Text("service.name", "payment"), Text("deployment.environment", "staging"),
                    Text("enduser.id", "u2"), Text("shared", "spn")});
  s13.scope = MakeScope("pay-lib");
  spans->push_back(std::move(s13));
}

void AddWorker(std::vector<Span>* spans) {
  Span s21 = MakeSpan(2, 0x15, "job", 1, 1'000'000, 50'000);
  s21.attributes = {Int("queue.before", 3), Int("queue.after", 10), Bool("retry", false),
                    Text("deployment.environment", "prod")};
  Span s22 = MakeSpan(2, 0x16, "publish", 4, 1'001'000, 1'000);
  s22.attributes = {Int("queue.before", 10), Int("queue.after", 10), Int("http.status_code", 404),
                    Double("ratio", 2)};
  s22.status_code = 1;
  s22.parent_span_id = Id(0x15);
  const auto resource =
      MakeResource({Text("service.name", "worker"), Text("shared", "other"), Text("env", "prod")});
  const auto scope = MakeScope("");
  for (Span* span : {&s21, &s22}) {
    span->resource = resource;
    span->scope = scope;
    spans->push_back(std::move(*span));
  }
  Span s31 = MakeSpan(3, 0x1F, "consume", 5, 2'000'000, 3'000'000);
  s31.status_code = 2;
  s31.events = {MakeEvent(s31, 70, "exception", {Int("attempt", 1)})};
  s31.links = {MakeLink(1, 0x0B, "vendor=b", {Int("weight", 3)})};
  s31.resource = MakeResource({Text("service.name", "worker")});
  s31.scope = MakeScope("kafka", "3.0.0");
  spans->push_back(std::move(s31));
}

void AddRest(std::vector<Span>* spans) {
  Span s41 = MakeSpan(4, 0x29, "orphan", 0, 3'000'000, 10);
  s41.parent_span_id = SpanId::From(std::string_view("\xDE\xAD\x00\x00\x00\x00\xBE\xEF", 8));
  s41.resource = MakeResource({Text("host.name", "h1")});
  s41.scope = MakeScope("");
  spans->push_back(std::move(s41));

  Span s51 = MakeSpan(5, 0x33,
                      "\xC3\xBC"
                      "ber",
                      1, 4'000'000, 1'000);
  // The messages ArrayValue ["a", "b"] and KeyValueList {"a": 1}.
  s51.attributes = {{"tags", ValueType::kArray,
                     "\x0A\x03\x0A\x01"
                     "a\x0A\x03\x0A\x01"
                     "b"},
                    {"obj", ValueType::kKvList,
                     "\x0A\x07\x0A\x01"
                     "a\x12\x02\x18\x01"},
                    {"blob", ValueType::kBytes, std::string("\x00\x00\x30\x39", 4)},
                    Text("num", "abc"),
                    Int("big", 9007199254740993),
                    Int("neg", -5),
                    Double("dbl", -0.5),
                    Text("ml", "line1\nline2"),
                    Text("email", "user@example.com"),
                    Text("dot", "a.b")};
  s51.resource = MakeResource({Text("service.name", "uni-\xC3\xA9")});
  s51.scope = MakeScope("");
  spans->push_back(std::move(s51));
}

}  // namespace

std::vector<Span> FilterCorpus() {
  std::vector<Span> spans;
  AddFrontend(&spans);
  AddPayment(&spans);
  AddWorker(&spans);
  AddRest(&spans);
  return spans;
}

std::string CorpusName(const SpanId& id) {
  // The ids count in tens: 0x0B is 11, 0x15 is 21.
  return "s" + std::to_string(id.bytes[7]);
}

}  // namespace larder
