#include "tests/filter/cases_file.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/base/check.h"
#include "storage/model/table/span_filter.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

using Json = nlohmann::json;

std::string Text(const Json& object, const char* key) { return object.value(key, std::string()); }

// 64-bit numbers are strings in protobuf's JSON.
uint64_t Number(const Json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>()) : value.get<uint64_t>();
}
int64_t SignedNumber(const Json& value) {
  return value.is_string() ? std::stoll(value.get<std::string>()) : value.get<int64_t>();
}

std::string BytesOfHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string BytesOfBase64(const std::string& text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  return bytes;
}

constexpr uint32_t VarintTag(uint32_t field) { return field << 3; }
constexpr uint32_t Fixed64Tag(uint32_t field) { return field << 3 | 1; }
constexpr uint32_t BytesTag(uint32_t field) { return field << 3 | 2; }

// The messages below are written field by field, each from its JSON.
struct Message {
  std::string bytes;

  void Bytes(uint32_t field, std::string_view value) {
    wire::AppendBytes(BytesTag(field), value, &bytes);
  }
  void TextOf(uint32_t field, const Json& object, const char* key) {
    if (object.contains(key)) Bytes(field, Text(object, key));
  }
  void HexOf(uint32_t field, const Json& object, const char* key) {
    if (object.contains(key)) Bytes(field, BytesOfHex(Text(object, key)));
  }
  void Fixed64Of(uint32_t field, const Json& object, const char* key) {
    if (object.contains(key)) {
      wire::AppendFixedIfAny(Fixed64Tag(field), Number(object.at(key)), &bytes);
    }
  }
  void Varint(uint32_t field, uint64_t value) {
    wire::AppendVarint(VarintTag(field), &bytes);
    wire::AppendVarint(value, &bytes);
  }
  template <typename Encode>
  void EachOf(uint32_t field, const Json& object, const char* key, Encode encode) {
    if (!object.contains(key)) return;
    for (const Json& each : object.at(key)) Bytes(field, encode(each));
  }
};

std::string KeyValueOf(const Json& pair);

std::string AnyValueOf(const Json& value) {
  Message message;
  message.TextOf(1, value, "stringValue");
  if (value.contains("boolValue")) message.Varint(2, value.at("boolValue").get<bool>() ? 1 : 0);
  if (value.contains("intValue")) {
    message.Varint(3, static_cast<uint64_t>(SignedNumber(value.at("intValue"))));
  }
  if (value.contains("doubleValue")) {
    const auto number = value.at("doubleValue").get<double>();
    wire::AppendVarint(Fixed64Tag(4), &message.bytes);
    message.bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  Message nested;
  if (value.contains("arrayValue")) {
    nested.EachOf(1, value.at("arrayValue"), "values", AnyValueOf);
    message.Bytes(5, nested.bytes);
  }
  if (value.contains("kvlistValue")) {
    nested.EachOf(1, value.at("kvlistValue"), "values", KeyValueOf);
    message.Bytes(6, nested.bytes);
  }
  if (value.contains("bytesValue")) message.Bytes(7, BytesOfBase64(Text(value, "bytesValue")));
  return std::move(message.bytes);
}

std::string KeyValueOf(const Json& pair) {
  Message message;
  message.TextOf(1, pair, "key");
  if (pair.contains("value")) message.Bytes(2, AnyValueOf(pair.at("value")));
  return std::move(message.bytes);
}

std::string EventOf(const Json& event) {
  Message message;
  message.Fixed64Of(1, event, "timeUnixNano");
  message.TextOf(2, event, "name");
  message.EachOf(3, event, "attributes", KeyValueOf);
  return std::move(message.bytes);
}

std::string LinkOf(const Json& link) {
  Message message;
  message.HexOf(1, link, "traceId");
  message.HexOf(2, link, "spanId");
  message.TextOf(3, link, "traceState");
  message.EachOf(4, link, "attributes", KeyValueOf);
  return std::move(message.bytes);
}

std::string SpanOf(const Json& span) {
  Message message;
  message.HexOf(1, span, "traceId");
  message.HexOf(2, span, "spanId");
  message.TextOf(3, span, "traceState");
  message.HexOf(4, span, "parentSpanId");
  message.TextOf(5, span, "name");
  message.Varint(6, span.value("kind", uint64_t{0}));
  message.Fixed64Of(7, span, "startTimeUnixNano");
  message.Fixed64Of(8, span, "endTimeUnixNano");
  message.EachOf(9, span, "attributes", KeyValueOf);
  message.EachOf(11, span, "events", EventOf);
  message.EachOf(13, span, "links", LinkOf);
  if (span.contains("status")) {
    Message status;
    status.TextOf(2, span.at("status"), "message");
    status.Varint(3, span.at("status").value("code", uint64_t{0}));
    message.Bytes(15, status.bytes);
  }
  return std::move(message.bytes);
}

std::string ScopeSpansOf(const Json& scope_spans) {
  Message message;
  Message scope;
  scope.TextOf(1, scope_spans.at("scope"), "name");
  scope.TextOf(2, scope_spans.at("scope"), "version");
  scope.EachOf(3, scope_spans.at("scope"), "attributes", KeyValueOf);
  message.Bytes(1, scope.bytes);
  message.EachOf(2, scope_spans, "spans", SpanOf);
  message.TextOf(3, scope_spans, "schemaUrl");
  return std::move(message.bytes);
}

std::string ResourceSpansOf(const Json& resource_spans) {
  Message message;
  Message resource;
  resource.EachOf(1, resource_spans.at("resource"), "attributes", KeyValueOf);
  message.Bytes(1, resource.bytes);
  message.EachOf(2, resource_spans, "scopeSpans", ScopeSpansOf);
  message.TextOf(3, resource_spans, "schemaUrl");
  return std::move(message.bytes);
}

CallExpression CallOf(const Json& call);

Expression ExpressionOf(const Json& term) {
  if (term.contains("attr")) {
    const Json& attr = term.at("attr");
    return {AttributeExpression{Text(attr, "key"), Text(attr, "level")}};
  }
  if (term.contains("field")) {
    const Json& field = term.at("field");
    return {FieldExpression{Text(field, "name"), Text(field, "level")}};
  }
  if (term.contains("nested")) return {NestedExpression{Text(term.at("nested"), "level")}};
  if (term.contains("scalar")) {
    const Json& scalar = term.at("scalar");
    return {ScalarExpression{Text(scalar, "value"), Text(scalar, "type")}};
  }
  if (term.contains("list")) {
    const Json& list = term.at("list");
    return {ListExpression{list.value("values", std::vector<std::string>()), Text(list, "type")}};
  }
  if (term.contains("call")) return {CallOf(term.at("call"))};
  return {};
}

CallExpression CallOf(const Json& call) {
  CallExpression expression;
  expression.op = Text(call, "op");
  if (!call.contains("args")) return expression;
  for (const Json& arg : call.at("args")) expression.args.push_back(ExpressionOf(arg));
  return expression;
}

// The cases name spans by alias.
std::set<std::string> SpanIds(const Json& file, const Json& aliases) {
  std::set<std::string> ids;
  for (const Json& alias : aliases) {
    ids.insert(Text(file.at("aliases").at(alias.get<std::string>()), "spanId"));
  }
  return ids;
}

TimeRange RangeOf(const Json& file, const Json& each) {
  if (!each.contains("time")) return {};
  const auto base_ns = static_cast<int64_t>(Number(file.at("base_time_unix_nano")));
  const auto at = [&](const char* offset) {
    return static_cast<uint64_t>(base_ns + SignedNumber(each.at("time").at(offset)));
  };
  return {at("min_offset_ns"), at("max_offset_ns")};
}

FilterCase FilterCaseOf(const Json& file, const Json& each) {
  FilterCase filter;
  filter.id = Text(each, "id");
  filter.corpus = Text(each, "corpus");
  filter.filter = CallOf(each.at("filter"));
  if (each.contains("finalized")) filter.finalized = CallOf(each.at("finalized"));
  filter.range = RangeOf(file, each);
  filter.is_error = each.at("expect").contains("error");
  filter.may_refuse = each.value("may_refuse", false);
  filter.may_accept = each.value("may_accept", false);
  if (!filter.is_error) filter.spans = SpanIds(file, each.at("expect").at("spans"));
  if (filter.may_accept) filter.spans = SpanIds(file, each.at("accept_spans"));
  return filter;
}

// A string, as the wire has it, is text to be matched at any type; what is typed keeps its type.
Constant LegacyConstantOf(const Json& value) {
  Constant constant;
  if (value.contains("intValue")) {
    constant.type = Constant::Type::kInt;
    constant.number = SignedNumber(value.at("intValue"));
  } else if (value.contains("boolValue")) {
    constant.type = Constant::Type::kBool;
    constant.number = value.at("boolValue").get<bool>() ? 1 : 0;
  } else {
    constant.type = Constant::Type::kLegacyText;
    constant.text = Text(value, "stringValue");
  }
  return constant;
}

LegacyCase LegacyCaseOf(const Json& file, const Json& each) {
  LegacyCase legacy;
  legacy.id = Text(each, "id");
  legacy.corpus = Text(each, "corpus");
  const Json& query = each.at("query");
  legacy.search.service = Text(query, "service_name");
  legacy.search.operation = Text(query, "operation_name");
  legacy.search.start = RangeOf(file, each);
  if (query.contains("duration_min_ns")) {
    legacy.search.duration_min_ns = SignedNumber(query.at("duration_min_ns"));
  }
  if (query.contains("duration_max_ns")) {
    legacy.search.duration_max_ns = SignedNumber(query.at("duration_max_ns"));
  }
  for (const Json& pair : query.value("attributes", Json::array())) {
    legacy.search.attributes.emplace_back(Text(pair, "key"), LegacyConstantOf(pair.at("value")));
  }
  const Json& expect = each.at("expect");
  const char* ours = expect.contains("larder") ? "larder" : "memory";
  legacy.spans = SpanIds(file, expect.at(ours).at("spans"));
  return legacy;
}

}  // namespace

CasesFile::CasesFile(const std::string& path) {
  std::ifstream stream(path);
  const Json file = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  LARDER_CHECK(!file.is_discarded());
  for (const Json& each : file.at("cases")) filters_.push_back(FilterCaseOf(file, each));
  for (const Json& each : file.at("legacy_cases")) legacy_.push_back(LegacyCaseOf(file, each));
  for (const auto& [alias, span] : file.at("aliases").items()) {
    span_ids_.emplace(alias, Text(span, "spanId"));
  }
  for (const auto& [name, corpus] : file.at("corpora").items()) {
    Message traces;
    traces.EachOf(1, corpus, "resourceSpans", ResourceSpansOf);
    corpora_.push_back(name);
    corpus_bytes_.push_back(std::move(traces.bytes));
  }
}

std::vector<Span> CasesFile::Corpus(const std::string& name) const {
  const auto found = std::find(corpora_.begin(), corpora_.end(), name);
  LARDER_CHECK(found != corpora_.end());
  auto spans = DecodeSpans(corpus_bytes_[static_cast<size_t>(found - corpora_.begin())]);
  LARDER_CHECK(spans.ok());
  return std::move(spans).value();
}

}  // namespace larder
