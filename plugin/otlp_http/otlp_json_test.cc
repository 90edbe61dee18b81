#include "plugin/otlp_http/otlp_json.h"

#include <limits>
#include <string>

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::common::v1::AnyValue;

ExportTraceServiceRequest Parsed(const std::string& text) {
  ExportTraceServiceRequest request;
  const auto wire = OtlpJsonToWire(text);
  EXPECT_TRUE(wire.ok()) << wire.status().ToString();
  EXPECT_TRUE(wire.ok() && request.ParseFromString(*wire)) << text;
  return request;
}

std::string ErrorOf(const std::string& text) {
  const auto wire = OtlpJsonToWire(text);
  if (wire.ok()) return "";
  EXPECT_EQ(wire.status().code(), StatusCode::kInvalidArgument);
  return std::string(wire.status().message());
}

// A request with this text as its only span's fields.
std::string WithSpan(const std::string& fields) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + fields + "}]}]}]}";
}

opentelemetry::proto::trace::v1::Span SpanOf(const std::string& fields) {
  return Parsed(WithSpan(fields)).resource_spans(0).scope_spans(0).spans(0);
}

AnyValue ValueOf(const std::string& value) {
  return SpanOf(R"("attributes":[{"key":"k","value":)" + value + "}]").attributes(0).value();
}

// The example of the OTLP specification, with the parts that this version of it has.
TEST(OtlpJson, ReadsTheSpecificationsExample) {
  const auto request = Parsed(R"({
    "resourceSpans": [{
      "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
      "scopeSpans": [{
        "scope": {"name": "my.library", "version": "1.0.0",
                  "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "x"}}]},
        "spans": [{
          "traceId": "5B8EFFF798038103D269B633813FC60C",
          "spanId": "EEE19B7EC3C1B174",
          "parentSpanId": "eee19b7ec3c1b173",
          "name": "I'm a server span",
          "startTimeUnixNano": "1544712660000000000",
          "endTimeUnixNano": 1544712661000000000,
          "kind": 2,
          "attributes": [{"key": "my.span.attr", "value": {"intValue": "42"}}],
          "status": {"code": 2, "message": "no"}
        }]
      }]
    }]
  })");
  const auto& resource = request.resource_spans(0);
  EXPECT_EQ(resource.resource().attributes(0).value().string_value(), "my.service");
  EXPECT_EQ(resource.scope_spans(0).scope().version(), "1.0.0");
  const auto& span = resource.scope_spans(0).spans(0);
  EXPECT_EQ(span.trace_id(), "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
  EXPECT_EQ(span.parent_span_id(), "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73");
  EXPECT_EQ(span.start_time_unix_nano(), 1544712660000000000U);
  EXPECT_EQ(span.end_time_unix_nano(), 1544712661000000000U);
  EXPECT_EQ(span.kind(), 2);
  EXPECT_EQ(span.attributes(0).value().int_value(), 42);
  EXPECT_EQ(span.status().code(), 2);
}

TEST(OtlpJson, ReadsEverySpellingOfAValue) {
  EXPECT_EQ(ValueOf(R"({"intValue": "-9223372036854775808"})").int_value(), INT64_MIN);
  EXPECT_EQ(ValueOf(R"({"intValue": -5})").int_value(), -5);
  EXPECT_EQ(ValueOf(R"({"intValue": 5.0})").int_value(), 5);
  EXPECT_EQ(ValueOf(R"({"intValue": "1e3"})").int_value(), 1000);
  EXPECT_EQ(ValueOf(R"({"doubleValue": 3})").double_value(), 3);
  EXPECT_EQ(ValueOf(R"({"doubleValue": "0.5"})").double_value(), 0.5);
  EXPECT_EQ(ValueOf(R"({"doubleValue": "-Infinity"})").double_value(),
            -std::numeric_limits<double>::infinity());
  EXPECT_NE(ValueOf(R"({"doubleValue": "NaN"})").double_value(),
            ValueOf(R"({"doubleValue": "NaN"})").double_value());
  EXPECT_EQ(ValueOf(R"({"bytesValue": "AP8="})").bytes_value(), std::string("\0\xff", 2));
  EXPECT_EQ(ValueOf(R"({"bytesValue": "-_8"})").bytes_value(), "\xfb\xff");
  EXPECT_EQ(SpanOf(R"("kind": "SPAN_KIND_CLIENT")").kind(), 3);
  EXPECT_EQ(SpanOf(R"("status": {"code": "STATUS_CODE_ERROR"})").status().code(), 2);
  EXPECT_EQ(SpanOf(R"("flags": "256")").flags(), 256U);
  EXPECT_EQ(SpanOf(R"("startTimeUnixNano": 18446744073709551615)").start_time_unix_nano(),
            UINT64_MAX);
}

TEST(OtlpJson, DefaultsOfAValueAreValues) {
  EXPECT_EQ(ValueOf(R"({"stringValue": ""})").value_case(), AnyValue::kStringValue);
  EXPECT_EQ(ValueOf(R"({"intValue": 0})").value_case(), AnyValue::kIntValue);
  EXPECT_EQ(ValueOf(R"({"boolValue": false})").value_case(), AnyValue::kBoolValue);
  EXPECT_EQ(ValueOf(R"({"doubleValue": 0})").value_case(), AnyValue::kDoubleValue);
  EXPECT_EQ(ValueOf(R"({"bytesValue": ""})").value_case(), AnyValue::kBytesValue);
  EXPECT_EQ(ValueOf(R"({"arrayValue": {}})").value_case(), AnyValue::kArrayValue);
  EXPECT_EQ(ValueOf(R"({"kvlistValue": {}})").value_case(), AnyValue::kKvlistValue);
  EXPECT_EQ(ValueOf(R"({})").value_case(), AnyValue::VALUE_NOT_SET);
}

TEST(OtlpJson, PassesOverWhatItDoesNotKnow) {
  const std::string unknown =
      R"("new": {"traceId": [1, {"a": null}], "b": [[]]}, "newer": [[], {}], "newest": 1e99,)";
  const std::string fields = unknown + R"("name": "n", "trace_id": "ab", "status": null)";
  EXPECT_EQ(SpanOf(fields).SerializeAsString(), SpanOf(R"("name": "n")").SerializeAsString());
  EXPECT_EQ(Parsed("{}").SerializeAsString(), "");
  EXPECT_EQ(Parsed(R"({"resourceSpans": null})").SerializeAsString(), "");
  EXPECT_EQ(OtlpJsonToWire(WithSpan(std::string(R"("x":)") + std::string(100'000, '[') +
                                    std::string(100'000, ']')))
                .status()
                .ToString(),
            "ok");
}

TEST(OtlpJson, NamesThePlaceOfWhatItRefuses) {
  EXPECT_EQ(ErrorOf(WithSpan(R"("traceId": "xyz")")),
            "resourceSpans.scopeSpans.spans.traceId cannot be this text");
  EXPECT_EQ(ErrorOf(WithSpan(R"("name": 5)")),
            "resourceSpans.scopeSpans.spans.name cannot be a number");
  EXPECT_EQ(ErrorOf("[]"), "the request cannot be an array");
  EXPECT_EQ(ErrorOf("null"), "the request cannot be null");
  EXPECT_EQ(ErrorOf("{\"resourceSpans\": [\xff]}"),
            "the request is not JSON in UTF-8: see byte 20");
  for (const char* bad : {"\"traceId\": \"abc\"",
                          "\"traceId\": 5",
                          "\"kind\": 2147483648",
                          "\"kind\": \"SERVER\"",
                          "\"flags\": -1",
                          "\"flags\": 4294967296",
                          "\"startTimeUnixNano\": -1",
                          "\"startTimeUnixNano\": \"18446744073709551616\"",
                          "\"startTimeUnixNano\": 1.5",
                          "\"startTimeUnixNano\": \"\"",
                          "\"startTimeUnixNano\": \" 1\"",
                          "\"name\": [\"a\"]",
                          "\"name\": {}",
                          "\"attributes\": {}",
                          "\"attributes\": [1]",
                          "\"attributes\": [null]",
                          "\"attributes\": [[]]",
                          "\"status\": []",
                          "\"status\": 2",
                          "\"attributes\": [{\"value\": {\"boolValue\": \"true\"}}]",
                          "\"attributes\": [{\"value\": {\"boolValue\": 1}}]",
                          "\"attributes\": [{\"value\": {\"intValue\": 9223372036854775808}}]",
                          "\"attributes\": [{\"value\": {\"intValue\": \"inf\"}}]",
                          "\"attributes\": [{\"value\": {\"doubleValue\": \"inf\"}}]",
                          "\"attributes\": [{\"value\": {\"bytesValue\": \"A\"}}]",
                          "\"attributes\": [{\"value\": {\"bytesValue\": \"A*==\"}}]"}) {
    EXPECT_NE(ErrorOf(WithSpan(bad)), "") << bad;
  }
  for (const char* broken : {"", "{", "{}}", "{} {}", "nul", "{\"resourceSpans\": [}",
                             "{\"resourceSpans\" 1}", "\xef\xbb", "{'a': 1}"}) {
    EXPECT_NE(ErrorOf(broken), "") << broken;
  }
}

TEST(OtlpJson, BoundsNesting) {
  const auto nested = [](int depth) {
    std::string value = R"({"boolValue": true})";
    for (int i = 0; i < depth; ++i) value = R"({"arrayValue": {"values": [)" + value + "]}}";
    return WithSpan(R"("attributes": [{"key": "k", "value": )" + value + "}]");
  };
  EXPECT_EQ(ErrorOf(nested(100)), "");
  EXPECT_EQ(ErrorOf(nested(130)), "values nest deeper than 256 messages");
  EXPECT_EQ(ErrorOf(nested(1000)), "values nest deeper than 256 messages");
}

std::string RandomText(Random* random, bool is_id, bool is_text) {
  std::string text(is_id ? (random->OneIn(2) ? 16 : 8) : random->Below(12), ' ');
  for (char& c : text) c = static_cast<char>(random->Below(is_text ? 128 : 256));
  return is_text && random->OneIn(4) ? text + "Zo\xc3\xab \xf0\x9f\xa6\x8a" : text;
}

double RandomDouble(Random* random) {
  switch (random->Below(4)) {
    case 0:
      return static_cast<double>(random->Between(0, 100)) / 8;
    case 1:
      return std::numeric_limits<double>::quiet_NaN();
    case 2:
      return -std::numeric_limits<double>::infinity();
    default:
      return static_cast<double>(random->Next()) * 1e-300;
  }
}

void Fill(Random* random, int depth, Message* message);

void FillOne(Random* random, int depth, const FieldDescriptor* field, Message* message) {
  const auto* reflection = message->GetReflection();
  const uint64_t number = random->OneIn(3) ? random->Below(3) : random->Next();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Fill(random, depth + 1, reflection->MutableMessage(message, field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
      const bool is_id = field->name().ends_with("_id");
      return reflection->SetString(message, field, RandomText(random, is_id, is_text));
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(message, field, number % 2 == 0);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(message, field, static_cast<int64_t>(number));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->SetUInt64(message, field, number);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->SetUInt32(message, field, static_cast<uint32_t>(number));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnumValue(message, field, static_cast<int>(number % 3));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->SetDouble(message, field, RandomDouble(random));
    default:
      FAIL() << field->full_name() << " has a type that no field of OTLP had";
  }
}

// Some fields of every message, so that each field of the .proto files comes up.
void Fill(Random* random, int depth, Message* message) {
  const auto* descriptor = message->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (random->OneIn(3) || (is_message && depth > 7)) continue;
    if (!field->is_repeated()) {
      FillOne(random, depth, field, message);
      continue;
    }
    for (uint64_t n = random->Below(3); n > 0; --n) {
      if (is_message) {
        Fill(random, depth + 1, message->GetReflection()->AddMessage(message, field));
      } else {
        message->GetReflection()->AddString(message, field, RandomText(random, false, true));
      }
    }
  }
}

// Protobuf writes ids in base64 as all bytes; OTLP has them in hex.
void IdsToHex(json* value) {
  if (value->is_object()) {
    for (auto& [name, child] : value->items()) {
      if (name != "traceId" && name != "spanId" && name != "parentSpanId") {
        IdsToHex(&child);
        continue;
      }
      const auto bytes = ValueOf(json{{"bytesValue", child}}.dump()).bytes_value();
      std::string hex;
      for (const char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
        hex += digits;
      }
      child = hex;
    }
  } else if (value->is_array()) {
    for (json& child : *value) IdsToHex(&child);
  }
}

TEST(OtlpJson, RandomRequestsMeanWhatProtobufMeans) {
  Random random(TestSeed());
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = true;
  google::protobuf::util::MessageDifferencer differencer;
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  differencer.set_field_comparator(&comparator);
  for (int i = 0; i < 500; ++i) {
    ExportTraceServiceRequest sent;
    Fill(&random, 0, &sent);
    std::string text;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(sent, &text, options).ok());
    json document = json::parse(text);
    IdsToHex(&document);
    ASSERT_TRUE(differencer.Compare(sent, Parsed(document.dump()))) << document.dump(2);
  }
}

}  // namespace
}  // namespace larder
