#include "tests/differential/span_maker.h"

#include <bit>
#include <string>
#include <utility>

#include "storage/base/coding.h"

namespace larder {
namespace {

std::string Fixed64(uint64_t value) {
  std::string bytes;
  PutFixed64(&bytes, value);
  return bytes;
}

Attribute Text(std::string key, std::string value) {
  return {std::move(key), ValueType::kString, std::move(value)};
}

}  // namespace

SpanMaker::SpanMaker(Random* random, const SpanMakerOptions& options)
    : random_(random), options_(options) {
  for (const char* service : {"cart", "checkout", "front", "mail", "pay"}) {
    for (const char* zone : {"a", "b"}) {
      auto resource = std::make_shared<Resource>();
      resource->attributes = {Text("service.name", service), Text("zone", zone)};
      if (random_->OneIn(4)) resource->schema_url = "https://example.com/schema";
      resources_.push_back(resource);
    }
  }
  resources_.push_back(std::make_shared<Resource>());  // no service
  for (const char* name : {"", "lib", "http"}) {
    auto scope = std::make_shared<Scope>();
    scope->name = name;
    if (*name != 0) scope->version = "1.2";
    if (random_->OneIn(3)) scope->attributes = {Text("k", "scope")};
    scopes_.push_back(scope);
  }
}

std::vector<Span> SpanMaker::Request() {
  std::vector<Span> spans;
  const uint64_t count = random_->Between(1, options_.spans_max);
  for (uint64_t i = 0; i < count; ++i) spans.push_back(MakeSpan(&PickTrace()));
  return spans;
}

SpanMaker::OpenTrace& SpanMaker::PickTrace() {
  if (traces_.size() < options_.open_traces) {
    if (traces_.empty() || random_->OneIn(3)) {
      traces_.push_back({NewTraceId(), {}, {}});
      return traces_.back();
    }
  } else if (random_->OneIn(8)) {
    OpenTrace& closed = traces_[random_->Below(traces_.size())];
    closed = {NewTraceId(), {}, {}};
    return closed;
  }
  return traces_[random_->Below(traces_.size())];
}

Span SpanMaker::MakeSpan(OpenTrace* trace) {
  static constexpr const char* kNames[] = {"GET /", "POST /pay", "query", "send", "", "GET /cart"};
  Span span;
  span.trace_id = trace->id;
  span.span_id = TakeSpanId(trace);
  span.parent_span_id = PickParent(trace, span.span_id);
  span.name = kNames[random_->Below(6)];
  span.kind = random_->OneIn(20) ? 99 : static_cast<int32_t>(random_->Below(6));
  span.start_ns = PickStart();
  span.end_ns = span.start_ns + random_->Below(8) * 1'000'000;
  if (random_->OneIn(25)) span.end_ns = span.start_ns - random_->Below(1000);
  span.attributes = PickAttributes(4);
  span.status_code = static_cast<int32_t>(random_->Below(3));
  if (span.status_code == 2 && random_->OneIn(2)) span.status_message = "boom";
  if (random_->OneIn(6)) span.trace_state = "a=1";
  if (random_->OneIn(6)) span.flags = 0x101;
  if (random_->OneIn(10)) span.dropped_attributes = 3;
  for (uint64_t i = random_->Below(6); i > 4; --i) {
    Event event;
    event.time_ns = span.start_ns + i;
    event.name = random_->OneIn(2) ? "exception" : "";
    event.attributes = PickAttributes(2);
    span.events.push_back(std::move(event));
  }
  if (random_->OneIn(8)) {
    Link link;
    link.trace_id = traces_[random_->Below(traces_.size())].id;
    link.span_id = NewSpanId();
    link.attributes = PickAttributes(2);
    span.links.push_back(std::move(link));
  }
  span.resource = resources_[random_->Below(resources_.size())];
  span.scope = scopes_[random_->Below(scopes_.size())];
  return span;
}

SpanId SpanMaker::TakeSpanId(OpenTrace* trace) {
  SpanId id;
  if (!trace->promised.empty() && random_->OneIn(2)) {
    id = trace->promised.back();
    trace->promised.pop_back();
  } else if (options_.reuse_span_ids && !trace->used.empty() && random_->OneIn(6)) {
    return trace->used[random_->Below(trace->used.size())];
  } else {
    id = NewSpanId();
  }
  trace->used.push_back(id);
  return id;
}

SpanId SpanMaker::PickParent(OpenTrace* trace, const SpanId& own) {
  switch (random_->Below(8)) {
    case 0:
      return {};
    case 1:
      return NewSpanId();  // never comes
    case 2:
    case 3:
      trace->promised.push_back(NewSpanId());
      return trace->promised.back();
    case 4:
      if (options_.reuse_span_ids && random_->OneIn(4)) return own;
      [[fallthrough]];
    default:
      return trace->used[random_->Below(trace->used.size())];
  }
}

uint64_t SpanMaker::PickStart() {
  switch (random_->Below(60)) {
    case 0:
      return random_->OneIn(2) ? 0 : UINT64_MAX;
    case 1:
      return random_->Next();
    default:
      return options_.base_ns + options_.step_ns * random_->Below(options_.steps);
  }
}

std::vector<Attribute> SpanMaker::PickAttributes(uint64_t count_max) {
  std::vector<Attribute> attributes;
  for (uint64_t i = random_->Below(count_max + 1); i > 0; --i)
    attributes.push_back(PickAttribute());
  return attributes;
}

Attribute SpanMaker::PickAttribute() {
  static constexpr const char* kKeys[] = {"k", "http.status", "user", "error", "zone"};
  Attribute attribute;
  attribute.key = kKeys[random_->Below(5)];
  switch (random_->Below(6)) {
    case 0:
      attribute.type = ValueType::kInt;
      attribute.payload = Fixed64(random_->Below(4) * 100);
      break;
    case 1:
      attribute.type = ValueType::kBool;
      attribute.payload = std::string(1, random_->OneIn(2) ? '\1' : '\0');
      break;
    case 2:
      attribute.type = ValueType::kDouble;
      attribute.payload =
          Fixed64(std::bit_cast<uint64_t>(static_cast<double>(random_->Below(3)) / 2));
      break;
    case 3:
      attribute.type = ValueType::kBytes;
      attribute.payload = random_->OneIn(2) ? "\xff\xfe" : "x";
      break;
    default:
      static constexpr const char* kTexts[] = {"200", "true", "a", "alice", ""};
      attribute.type = ValueType::kString;
      attribute.payload = kTexts[random_->Below(5)];
      break;
  }
  return attribute;
}

SpanId SpanMaker::NewSpanId() { return SpanId::From(Fixed64(random_->Next() | 1)); }

TraceId SpanMaker::NewTraceId() {
  return TraceId::From(Fixed64(random_->Next()) + Fixed64(random_->Next() | 1));
}

}  // namespace larder
