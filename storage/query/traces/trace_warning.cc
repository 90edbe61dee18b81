#include "storage/query/traces/trace_warning.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace larder {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;

// opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto
constexpr uint32_t kSpanAttributes = 9;
constexpr uint32_t kKeyValueKey = 1;
constexpr uint32_t kKeyValueValue = 2;
constexpr uint32_t kAnyString = 1;
constexpr uint32_t kAnyArray = 5;
constexpr uint32_t kArrayValues = 1;

// The ArrayValue of a KeyValue when that is a list of warnings.
bool ReadWarnings(pbf_reader key_value, std::string* array) {
  bool is_warnings = false;
  bool is_array = false;
  while (key_value.next()) {
    if (key_value.tag() == kKeyValueKey &&
        key_value.wire_type() == pbf_wire_type::length_delimited) {
      const auto key = key_value.get_view();
      is_warnings = std::string_view(key.data(), key.size()) == kWarningsKey;
    } else if (key_value.tag() == kKeyValueValue &&
               key_value.wire_type() == pbf_wire_type::length_delimited) {
      pbf_reader value = key_value.get_message();
      while (value.next()) {
        is_array = value.tag() == kAnyArray && value.wire_type() == pbf_wire_type::length_delimited;
        if (is_array)
          *array = value.get_string();
        else
          value.skip();
      }
    } else {
      key_value.skip();
    }
  }
  return is_warnings && is_array;
}

void WriteWarnings(const std::string& array, std::string_view warning, std::string* span) {
  pbf_writer span_writer(*span);
  pbf_writer key_value(span_writer, kSpanAttributes);
  key_value.add_string(kKeyValueKey, kWarningsKey.data(), kWarningsKey.size());
  pbf_writer value(key_value, kKeyValueValue);
  std::string longer = array;
  {
    pbf_writer values(longer);
    pbf_writer element(values, kArrayValues);
    element.add_string(kAnyString, warning.data(), warning.size());
  }
  value.add_message(kAnyArray, longer);
}

std::string AddWarning(std::string_view span, std::string_view warning) {
  std::string warned;
  std::string array;
  pbf_reader fields(span.data(), span.size());
  const char* field_begin = span.data();
  while (fields.next()) {
    std::string found;
    const bool is_attribute =
        fields.tag() == kSpanAttributes && fields.wire_type() == pbf_wire_type::length_delimited;
    bool is_warnings = false;
    if (is_attribute) {
      is_warnings = ReadWarnings(fields.get_message(), &found);
    } else {
      fields.skip();
    }
    const char* field_end = fields.data().data();
    if (is_warnings) {
      array += found;  // the message ArrayValue is a list alone: lists join by joining bytes
    } else {
      warned.append(field_begin, field_end);
    }
    field_begin = field_end;
  }
  WriteWarnings(array, warning, &warned);
  return warned;
}

}  // namespace

std::string WithWarning(std::string_view span, std::string_view warning) {
  try {
    return AddWarning(span, warning);
  } catch (const protozero::exception&) {
    return std::string(span);  // an attribute that is not protobuf inside: kept as it came
  }
}

}  // namespace larder
