#include "tests/support/span_generator.h"

#include <algorithm>
#include <cstring>

#include "storage/model/wire.h"

namespace larder {
namespace {

constexpr size_t kRecentMax = 64;

std::string Hex(uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[value >> shift & 15];
  return text;
}

void AppendUnknownField(Random* random, uint32_t depth, std::string* out) {
  const auto number = static_cast<uint32_t>(random->Between(100, 2000));
  if (depth > 0 && random->OneIn(3)) {
    wire::AppendVarint(number << 3 | 3, out);
    for (uint64_t i = random->Below(3); i > 0; --i) AppendUnknownField(random, depth - 1, out);
    wire::AppendVarint(number << 3 | 4, out);
  } else if (random->OneIn(3)) {
    wire::AppendVarint(number << 3, out);
    wire::AppendVarint(random->Next(), out);
  } else {
    wire::AppendBytes(number << 3 | 2, random->OneIn(2) ? "\xff" : "u", out);
  }
}

Attribute Text(std::string key, std::string value) {
  return {std::move(key), ValueType::kString, std::move(value)};
}

}  // namespace

std::string UnknownField(Random* random) {
  std::string field;
  AppendUnknownField(random, 4, &field);
  return field;
}

std::string IntPayload(int64_t value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

std::string DoublePayload(double value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

SpanGenerator::SpanGenerator(Random* random, SpanGeneratorOptions options)
    : random_(random), options_(options), now_ns_(options.start_ns) {
  for (uint32_t i = 0; i < options_.services; ++i) services_.push_back(MakeService(i));
  for (uint32_t i = 0; i < options_.open_traces; ++i) traces_.push_back(MakeTrace());
}

SpanGenerator::Service SpanGenerator::MakeService(uint32_t number) {
  Service service;
  const std::string name = "service-" + std::to_string(number);
  for (uint64_t i = random_->Between(1, 3); i > 0; --i) {
    Resource resource;
    resource.attributes = {Text("service.name", name),
                           Text("host.name", "host-" + std::to_string(random_->Below(4)))};
    if (Hostile()) resource.attributes.insert(resource.attributes.begin(), HostileAttribute());
    if (Hostile()) resource.attributes.erase(resource.attributes.begin());  // perhaps the name
    if (Hostile()) resource.dropped_attributes = 3;
    if (Hostile()) resource.unknown = UnknownField(random_);
    if (Hostile()) resource.outer_unknown = UnknownField(random_);
    if (random_->OneIn(3)) resource.schema_url = "https://opentelemetry.io/schemas/1.26.0";
    service.instances.push_back(std::make_shared<Resource>(std::move(resource)));
  }
  for (uint64_t i = random_->Between(1, 2); i > 0; --i) {
    Scope scope;
    if (!random_->OneIn(4)) scope.name = "scope-" + std::to_string(random_->Below(3));
    if (random_->OneIn(2)) scope.version = "1." + std::to_string(random_->Below(3));
    if (random_->OneIn(3)) scope.attributes.push_back(UsualAttribute(0));
    if (Hostile()) scope.attributes.push_back(HostileAttribute());
    if (Hostile()) scope.dropped_attributes = 1;
    if (Hostile()) scope.unknown = UnknownField(random_);
    if (Hostile()) scope.outer_unknown = UnknownField(random_);
    if (random_->OneIn(4)) scope.schema_url = "https://example.com/scope";
    service.scopes.push_back(std::make_shared<Scope>(std::move(scope)));
  }
  for (uint32_t i = 0; i < options_.operations; ++i) {
    service.operations.push_back("operation-" + std::to_string(random_->Below(20)));
  }
  return service;
}

SpanGenerator::Trace SpanGenerator::MakeTrace() {
  Trace trace;
  do {
    for (uint8_t& byte : trace.id.bytes) byte = static_cast<uint8_t>(random_->Next());
  } while (trace.id.is_zero());
  trace.start_ns = now_ns_;
  now_ns_ += random_->Below(2 * options_.step_ns + 1);
  return trace;
}

SpanId SpanGenerator::MakeSpanId() {
  SpanId id;
  do {
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_->Next());
  } while (id.is_zero());
  return id;
}

// Mostly a span of the trace; sometimes none, or one that nobody has seen.
SpanId SpanGenerator::PickParent(const Trace& trace) {
  if (trace.spans.empty() || random_->OneIn(12)) return {};
  if (random_->OneIn(12)) return MakeSpanId();
  return trace.spans[random_->Below(trace.spans.size())];
}

Span SpanGenerator::Next() {
  if (!recent_.empty() && options_.duplicate_one_in != 0 &&
      random_->OneIn(options_.duplicate_one_in)) {
    return recent_[random_->Below(recent_.size())];
  }
  Trace& trace = traces_[random_->Below(traces_.size())];
  const Service& service = services_[random_->Below(services_.size())];
  const auto operation = static_cast<uint32_t>(random_->Below(service.operations.size()));
  Span span;
  span.trace_id = trace.id;
  span.span_id = MakeSpanId();
  span.parent_span_id = PickParent(trace);
  span.resource = service.instances[random_->Below(service.instances.size())];
  span.scope = service.scopes[random_->Below(service.scopes.size())];
  span.name = service.operations[operation];
  span.kind = static_cast<int32_t>((operation + random_->Below(2)) % 6);
  span.status_code = random_->OneIn(8) ? 2 : static_cast<int32_t>(random_->Below(2));
  if (span.status_code == 2) span.status_message = "failed " + std::to_string(random_->Below(3));
  if (random_->OneIn(10)) span.trace_state = "vendor=" + std::to_string(random_->Below(3));
  if (random_->OneIn(2)) span.flags = 0x101;
  FillTimes(trace, &span);
  FillAttributes(operation, &span);
  FillEvents(&span);
  FillLinks(&span);
  if (Hostile()) MakeHostile(&span);
  trace.spans.push_back(span.span_id);
  if (random_->OneIn(options_.spans_per_trace)) trace = MakeTrace();
  if (recent_.size() < kRecentMax) {
    recent_.push_back(span);
  } else {
    recent_[random_->Below(kRecentMax)] = span;
  }
  return span;
}

std::vector<Span> SpanGenerator::Batch(uint32_t count) {
  std::vector<Span> spans;
  spans.reserve(count);
  for (uint32_t i = 0; i < count; ++i) spans.push_back(Next());
  return spans;
}

void SpanGenerator::FillTimes(const Trace& trace, Span* span) {
  // Durations over six powers of ten, as in life; starts may be equal.
  uint64_t duration = 1 + random_->Below(9);
  for (uint64_t i = random_->Below(7); i > 0; --i) duration *= 10;
  span->start_ns = trace.start_ns + random_->Below(20) * (options_.step_ns / 10);
  span->end_ns = span->start_ns + duration;
}

void SpanGenerator::FillAttributes(uint32_t operation, Span* span) {
  if (options_.attributes_max == 0) return;
  // An operation has its usual keys; which ones varies little.
  const uint64_t count = (operation * 3 + random_->Below(2)) % (options_.attributes_max + 1);
  for (uint64_t i = 0; i < count; ++i) {
    span->attributes.push_back(UsualAttribute(operation + static_cast<uint32_t>(i)));
  }
}

void SpanGenerator::FillEvents(Span* span) {
  if (!random_->OneIn(5)) return;
  for (uint64_t i = random_->Between(1, 3); i > 0; --i) {
    Event& event = span->events.emplace_back();
    event.time_ns = span->start_ns + random_->Below(1000);
    event.name = random_->OneIn(2) ? "exception" : "event-" + std::to_string(random_->Below(3));
    if (event.name == "exception") {
      event.attributes.push_back(Text("exception.type", "E" + std::to_string(random_->Below(3))));
      event.attributes.push_back(Text("exception.message", Hex(random_->Below(1000))));
    }
    if (Hostile()) event.attributes.push_back(HostileAttribute());
    if (Hostile()) event.dropped_attributes = 2;
    if (Hostile()) event.unknown = UnknownField(random_);
    if (Hostile()) event.time_ns = 0;
  }
}

void SpanGenerator::FillLinks(Span* span) {
  if (!random_->OneIn(12)) return;
  for (uint64_t i = random_->Between(1, 2); i > 0; --i) {
    Link& link = span->links.emplace_back();
    link.trace_id = traces_[random_->Below(traces_.size())].id;
    link.span_id = MakeSpanId();
    if (random_->OneIn(3)) link.attributes.push_back(UsualAttribute(2));
    if (random_->OneIn(4)) link.trace_state = "link=1";
    if (random_->OneIn(4)) link.flags = 1;
    if (Hostile()) link.attributes.push_back(HostileAttribute());
    if (Hostile()) link.trace_id = {};
    if (Hostile()) link.dropped_attributes = 5;
    if (Hostile()) link.unknown = UnknownField(random_);
  }
}

Attribute SpanGenerator::UsualAttribute(uint32_t key) {
  switch (key % 9) {
    case 0:
      return Text("http.method", random_->OneIn(3) ? "POST" : "GET");
    case 1:
      return {"http.status_code", ValueType::kInt, IntPayload(random_->OneIn(5) ? 500 : 200)};
    case 2:
      return Text("user.id", "user-" + std::to_string(random_->Below(40)));
    case 3:
      return Text("request.id", Hex(random_->Next()) + Hex(random_->Next()));
    case 4:
      return {"cart.total", ValueType::kDouble,
              DoublePayload(static_cast<double>(random_->Below(400)) / 4)};
    case 5:
      return {"retry", ValueType::kBool, std::string(1, static_cast<char>(random_->Below(2)))};
    case 6:
      return {"bytes.sent", ValueType::kInt,
              IntPayload(static_cast<int64_t>(random_->Below(100'000)))};
    case 7:
      return Text("db.statement", "SELECT * FROM t" + std::to_string(random_->Below(10)));
    // A key that has values of two types.
    default:
      return random_->OneIn(2) ? Text("http.status_code", "500")
                               : Attribute{"peer.port", ValueType::kInt, IntPayload(443)};
  }
}

std::string SpanGenerator::HostileText() {
  switch (random_->Below(6)) {
    case 0:
      return "";
    case 1:
      return "\xff\xfe\xc0\x80";
    case 2:
      return std::string("\0nul\0", 5);
    case 3:
      return std::string(random_->Between(200, 3000), 'x');
    case 4:
      return "\xed\xa0\x80" + Hex(random_->Next());
    default:
      return "\xc3\xa9\xe2\x80\xa8\xf0\x9f\x92\xa9";
  }
}

Attribute SpanGenerator::HostileAttribute() {
  std::string nested;
  EncodeKeyValue({"inner", ValueType::kInt, IntPayload(7)}, &nested);
  nested = std::string("\x0a") + static_cast<char>(nested.size()) + nested;
  switch (random_->Below(13)) {
    case 0:
      return Text(HostileText(), HostileText());
    case 1:
      return {"empty", ValueType::kEmpty, ""};
    case 2:
      return {"bytes", ValueType::kBytes, HostileText()};
    case 3:
      return {"list", ValueType::kKvList, nested + nested};
    case 4:
      return {"array", ValueType::kArray, std::string("\x0a\x03\x0a\x01z\x0a\x00", 7)};
    case 5:
      return {"", ValueType::kRaw, ""};  // a KeyValue of no bytes
    case 6:
      return {"raw", ValueType::kRaw, "\x0a\x03raw"};  // without a value
    case 7:
      return {"k", ValueType::kRaw, "\x12\x03\x0a\x01v\x0a\x01k"};  // value before key
    case 8:
      return {"extreme", ValueType::kInt, IntPayload(random_->OneIn(2) ? INT64_MIN : INT64_MAX)};
    case 9:
      return {"nan", ValueType::kDouble, std::string("\1\0\0\0\0\0\xf8\x7f", 8)};
    case 10: {  // unknown fields in the KeyValue and in its AnyValue
      const std::string value = "\x0a\x01v" + UnknownField(random_);
      std::string key_value = UnknownField(random_) + "\x0a\x01k";
      wire::AppendBytes(0x12, value, &key_value);
      return {"k", ValueType::kRaw, key_value};
    }
    case 11:
      return {"array", ValueType::kArray, UnknownField(random_)};
    default:
      return Text("http.status_code", HostileText());
  }
}

void SpanGenerator::MakeHostile(Span* span) {
  for (uint64_t i = random_->Between(1, 3); i > 0; --i) {
    switch (random_->Below(14)) {
      case 0:
        span->name = HostileText();
        break;
      case 1:
        span->trace_state = HostileText();
        break;
      case 2:
        span->status_message = HostileText();
        break;
      case 3:
        span->kind = static_cast<int32_t>(random_->Next());
        break;
      case 4:
        span->status_code = static_cast<int32_t>(random_->Next());
        break;
      case 5:
        span->unknown = UnknownField(random_) + UnknownField(random_);
        break;
      case 6:
        span->status_unknown = UnknownField(random_);
        break;
      case 7:
        span->start_ns = random_->OneIn(2) ? 0 : UINT64_MAX - random_->Below(2);
        break;
      case 8:
        span->end_ns = random_->OneIn(2) ? 0 : random_->Next();
        break;
      case 9:
        span->dropped_attributes = static_cast<uint32_t>(random_->Next());
        break;
      case 10:
        span->dropped_events = span->dropped_links = 1;
        break;
      case 11:
        if (!recent_.empty()) span->span_id = recent_.back().span_id;
        break;
      case 12:
        span->parent_span_id = span->span_id;
        break;
      default:
        span->attributes.push_back(HostileAttribute());
        break;
    }
  }
}

}  // namespace larder
