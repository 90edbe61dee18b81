// Columns as spans. Three writers spell the same things in different ways:
//
//   links    OTel exporter      [{"attribute":{..},"spanID":"..","traceID":".."}]
//            aliyun-log-jaeger  [{"RefType":"CHILD_OF","SpanID":"..","TraceID":".."}]
//            SLS documentation  [{"TraceID":"","SpanId":"","TraceState":"","Attributes":{..}}]
//   parents  a column, but aliyun-log-jaeger means the link CHILD_OF
//   status   columns, but aliyun-log-jaeger leaves it in the tags, and warnings in statusMessage
//   times    microseconds; newer documentation says nanoseconds
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "tiering/base/bounded_json.h"
#include "tiering/row/json_value.h"
#include "tiering/row/row_reader.h"

namespace larder {
namespace {

using Json = nlohmann::json;

// As microseconds this is the year 5138; as nanoseconds, 1973.
constexpr uint64_t kMicrosMax = 100'000'000'000'000'000;
constexpr std::array<std::string_view, 6> kKinds = {"",       "internal", "server",
                                                    "client", "producer", "consumer"};

std::string Column(const SlsColumns& row, std::string_view key) {
  const auto found = row.find(key);
  return found == row.end() ? std::string() : found->second;
}

uint64_t Number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Hex of at most the id's size, zeros in front left out. False for other text; empty text is zero.
template <typename Id>
bool ReadId(std::string_view hex, Id* id) {
  *id = Id{};
  if (hex.size() > 2 * id->bytes.size()) return false;
  size_t nibble = 2 * id->bytes.size() - hex.size();
  for (const char c : hex) {
    const int digit = HexDigit(c);
    if (digit < 0) return false;
    uint8_t& byte = id->bytes[nibble / 2];
    byte = static_cast<uint8_t>(byte | (nibble % 2 == 0 ? digit << 4 : digit));
    ++nibble;
  }
  return true;
}

std::string Member(const Json& object, std::initializer_list<const char*> spellings) {
  for (const char* key : spellings) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

// An object that may lie in a string.
Json ObjectMember(const Json& object, std::initializer_list<const char*> spellings) {
  for (const char* key : spellings) {
    const auto found = object.find(key);
    if (found == object.end()) continue;
    Json value = found->is_string() ? ParseBoundedJson(found->get<std::string>()) : *found;
    if (value.is_object()) return value;
  }
  return Json::object();
}

// A column of JSON: what is in it, or what could not be read as text under `name`.
std::vector<Attribute> AttributesOfColumn(const SlsColumns& row, const char* name) {
  const std::string text = Column(row, name);
  if (text.empty()) return {};
  const Json json = ParseBoundedJson(text);
  if (json.is_object()) return AttributesOfJson(json);
  if (json.is_null()) return {};
  return {TextAttribute(name, text)};
}

// Takes a text attribute out of a list: its value, if there is one and `wanted` (unless empty) is
// its value.
std::string Take(std::vector<Attribute>* attributes, std::string_view key,
                 std::string_view wanted = "") {
  for (auto it = attributes->begin(); it != attributes->end(); ++it) {
    if (it->key != key || it->type != ValueType::kString) continue;
    if (!wanted.empty() && it->payload != wanted) continue;
    std::string value = std::move(it->payload);
    attributes->erase(it);
    return value;
  }
  return {};
}

Link ReadLink(const Json& object) {
  Link link;
  ReadId(Member(object, {"TraceID", "traceID", "traceId", "trace_id"}), &link.trace_id);
  ReadId(Member(object, {"SpanID", "SpanId", "spanID", "spanId", "span_id"}), &link.span_id);
  link.trace_state = Member(object, {"TraceState", "traceState"});
  link.attributes =
      AttributesOfJson(ObjectMember(object, {"Attributes", "attributes", "attribute"}));
  return link;
}

void ReadLinks(const SlsColumns& row, Span* span) {
  const Json links = ParseBoundedJson(Column(row, "links"));
  if (!links.is_array()) return;
  for (const Json& object : links) {
    if (!object.is_object()) continue;
    Link link = ReadLink(object);
    const std::string type = Member(object, {"RefType"});
    const bool is_child = type == "CHILD_OF" && link.trace_id == span->trace_id;
    if (is_child && span->parent_span_id.is_zero()) span->parent_span_id = link.span_id;
    if (is_child && link.span_id == span->parent_span_id) continue;
    // As Jaeger's own translation keeps it.
    if (type == "CHILD_OF") {
      link.attributes.push_back(TextAttribute("opentracing.ref_type", "child_of"));
    }
    span->links.push_back(std::move(link));
  }
}

void ReadEvents(const SlsColumns& row, Span* span) {
  const Json events = ParseBoundedJson(Column(row, "logs"));
  if (!events.is_array()) return;
  for (const Json& object : events) {
    if (!object.is_object()) continue;
    Event& event = span->events.emplace_back();
    event.name = Member(object, {"name"});
    event.attributes = AttributesOfJson(ObjectMember(object, {"attribute", "attributes"}));
    const std::string in_attributes = Take(&event.attributes, "event", event.name);
    if (event.name.empty()) event.name = in_attributes;
    const auto time = object.find("time");
    if (time == object.end()) continue;
    if (time->is_number_unsigned()) event.time_ns = time->get<uint64_t>();
    if (time->is_string()) event.time_ns = Number(time->get<std::string>());
    if (time->is_number_float() && time->get<double>() > 0 && time->get<double>() < 1.8e19) {
      event.time_ns = static_cast<uint64_t>(time->get<double>());
    }
  }
}

uint64_t NanosOf(uint64_t time) { return time > kMicrosMax ? time : time * 1000; }

void ReadTimes(const SlsColumns& row, Span* span) {
  const uint64_t start = Number(Column(row, "start"));
  span->start_ns = NanosOf(start);
  // Our rows have the nanoseconds beside the log's time.
  const uint64_t part = Number(Column(row, "__time_ns_part__"));
  if (start <= kMicrosMax && part / 1000 == start % 1'000'000) span->start_ns += part % 1000;
  const std::string end = Column(row, "end");
  span->end_ns =
      end.empty() ? span->start_ns + Number(Column(row, "duration")) * 1000 : NanosOf(Number(end));
  // A span within one microsecond.
  if (Number(end) == start) span->end_ns = std::max(span->end_ns, span->start_ns);
}

// Status and kind, from columns or, where these say nothing, from tags. Tags that repeat a column
// go.
void ReadStatus(const SlsColumns& row, Span* span) {
  std::vector<Attribute>* tags = &span->attributes;
  const std::string tag_kind = Lower(Take(tags, "span.kind"));
  std::string kind = Lower(Column(row, "kind"));
  if (kind.empty()) kind = tag_kind;
  const auto found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found != kKinds.end()) span->kind = static_cast<int32_t>(found - kKinds.begin());
  std::string status = Lower(Column(row, "statusCode"));
  const std::string tag_status = Lower(Take(tags, "otel.status_code"));
  if (status.empty() || status == "unset") status = tag_status;
  const bool has_error_tag = Take(tags, "error", "true") == "true";
  if (status.empty() && has_error_tag) status = "error";
  if (status == "ok") span->status_code = 1;
  if (status == "error") span->status_code = 2;
  if (has_error_tag && span->status_code != 2) tags->push_back(TextAttribute("error", "true"));
  span->status_message = Column(row, "statusMessage");
  const std::string tag_message = Take(tags, "otel.status_description");
  const Json warnings = ParseBoundedJson(span->status_message);
  if (warnings.is_array()) {
    tags->push_back(AttributeOfJson("@jaeger@warnings", warnings));
    span->status_message.clear();
  }
  if (span->status_message.empty()) span->status_message = tag_message;
}

void ReadOwners(const SlsColumns& row, Span* span) {
  Resource resource;
  resource.attributes = AttributesOfColumn(row, "resource");
  const auto has = [&](std::string_view key) {
    return std::any_of(resource.attributes.begin(), resource.attributes.end(),
                       [&](const Attribute& attribute) { return attribute.key == key; });
  };
  for (const auto& [key, column] :
       {std::pair("host.name", "host"), std::pair("service.name", "service")}) {
    const std::string value = Column(row, column);
    if (value.empty() || has(key)) continue;
    resource.attributes.insert(resource.attributes.begin(), TextAttribute(key, value));
  }
  Scope scope;
  scope.name = Column(row, "otlp.name");
  scope.version = Column(row, "otlp.version");
  const std::string tag_name = Take(&span->attributes, "otel.scope.name");
  const std::string tag_version = Take(&span->attributes, "otel.scope.version");
  if (scope.name.empty()) scope.name = tag_name;
  if (scope.version.empty()) scope.version = tag_version;
  span->resource = std::make_shared<Resource>(std::move(resource));
  span->scope = std::make_shared<Scope>(std::move(scope));
}

}  // namespace

Result<Span> SpanOfColumns(const SlsColumns& row) {
  Span span;
  if (!ReadId(Column(row, "traceID"), &span.trace_id) || span.trace_id.is_zero()) {
    return Status::DataLoss("traceID '" + Column(row, "traceID") + "' is no trace id");
  }
  if (!ReadId(Column(row, "spanID"), &span.span_id) || span.span_id.is_zero()) {
    return Status::DataLoss("spanID '" + Column(row, "spanID") + "' is no span id");
  }
  ReadId(Column(row, "parentSpanID"), &span.parent_span_id);
  span.name = Column(row, "name");
  span.flags = static_cast<uint32_t>(Number(Column(row, "flags")));
  span.attributes = AttributesOfColumn(row, "attribute");
  span.trace_state = Column(row, "traceState");
  const std::string tag_state = Take(&span.attributes, "w3c.tracestate");
  if (span.trace_state.empty()) span.trace_state = tag_state;
  ReadTimes(row, &span);
  ReadStatus(row, &span);
  ReadOwners(row, &span);
  ReadLinks(row, &span);
  ReadEvents(row, &span);
  return span;
}

}  // namespace larder
