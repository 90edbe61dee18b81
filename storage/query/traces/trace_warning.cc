#include "storage/query/traces/trace_warning.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

using protozero::pbf_writer;

// The ArrayValue of a KeyValue when that is a list of warnings.
bool ReadWarnings(std::string_view message, std::string* array) {
  bool is_warnings = false;
  bool is_array = false;
  wire::Reader key_value(message);
  while (key_value.NextField()) {
    switch (key_value.tag_and_type()) {
      case otlp::key_value::kKey:
        is_warnings = key_value.View() == kWarningsKey;
        break;
      case otlp::key_value::kValue: {
        wire::Reader value(key_value.View());
        while (value.NextField()) {
          is_array = value.tag_and_type() == otlp::any_value::kArray;
          if (is_array)
            *array = value.get_string();
          else
            value.skip();
        }
        break;
      }
      default:
        key_value.skip();
    }
  }
  return is_warnings && is_array;
}

void WriteWarnings(const std::string& array, std::string_view warning, std::string* span) {
  pbf_writer span_writer(*span);
  pbf_writer key_value(span_writer, otlp::span::kAttributes >> 3);
  key_value.add_string(otlp::key_value::kKey >> 3, kWarningsKey.data(), kWarningsKey.size());
  pbf_writer value(key_value, otlp::key_value::kValue >> 3);
  std::string longer = array;
  {
    pbf_writer values(longer);
    pbf_writer element(values, otlp::list::kValues >> 3);
    element.add_string(otlp::any_value::kString >> 3, warning.data(), warning.size());
  }
  value.add_message(otlp::any_value::kArray >> 3, longer);
}

std::string AddWarning(std::string_view span, std::string_view warning) {
  std::string warned;
  std::string array;
  wire::Reader fields(span);
  while (fields.NextField()) {
    std::string found;
    bool is_warnings = false;
    if (fields.tag_and_type() == otlp::span::kAttributes) {
      is_warnings = ReadWarnings(fields.View(), &found);
    } else {
      fields.skip();
    }
    if (is_warnings) {
      array += found;  // the message ArrayValue is a list alone: lists join by joining bytes
    } else {
      warned += fields.ReadField();
    }
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
