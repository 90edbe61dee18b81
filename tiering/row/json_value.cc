#include "tiering/row/json_value.h"

#include <cstring>

#include "storage/model/otlp_fields.h"
#include "storage/model/value.h"
#include "storage/model/wire.h"
#include "tiering/row/row_text.h"

namespace larder {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kJsonNestingMax = 64;

template <typename T>
std::string Payload(T value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

Attribute Convert(std::string key, const Json& value, uint32_t nesting_left);

std::string KeyValue(std::string key, const Json& value, uint32_t nesting_left) {
  const Attribute attribute = Convert(std::move(key), value, nesting_left);
  std::string out;
  EncodeKeyValue({attribute.key, attribute.type, attribute.payload}, &out);
  return out;
}

// The AnyValue message of a value: that of a KeyValue without a key.
std::string AnyValue(const Json& value, uint32_t nesting_left) {
  const std::string key_value = KeyValue("", value, nesting_left);
  wire::Reader reader(key_value);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::key_value::kValue) return std::string(reader.View());
    reader.SkipField();
  }
  return {};
}

Attribute Convert(std::string key, const Json& value, uint32_t nesting_left) {
  Attribute out{.key = std::move(key)};
  if (value.is_string()) {
    out.type = ValueType::kString;
    out.payload = value.get<std::string>();
  } else if (value.is_boolean()) {
    out.type = ValueType::kBool;
    out.payload = std::string(1, value.get<bool>() ? '\1' : '\0');
  } else if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) {
    out.type = ValueType::kDouble;
    out.payload = Payload(value.get<double>());
  } else if (value.is_number_integer()) {
    out.type = ValueType::kInt;
    out.payload = Payload(value.get<int64_t>());
  } else if (value.is_number_float()) {
    out.type = ValueType::kDouble;
    out.payload = Payload(value.get<double>());
  } else if (value.is_structured() && nesting_left == 0) {
    out.type = ValueType::kString;
    out.payload = DumpJson(value);
  } else if (value.is_array()) {
    out.type = ValueType::kArray;
    for (const Json& item : value) {
      wire::AppendBytes(otlp::list::kValues, AnyValue(item, nesting_left - 1), &out.payload);
    }
  } else if (value.is_object()) {
    out.type = ValueType::kKvList;
    for (const auto& [name, member] : value.items()) {
      wire::AppendBytes(otlp::list::kValues, KeyValue(name, member, nesting_left - 1),
                        &out.payload);
    }
  }
  return out;
}

}  // namespace

Attribute AttributeOfJson(std::string key, const Json& value) {
  return Convert(std::move(key), value, kJsonNestingMax);
}

std::vector<Attribute> AttributesOfJson(const Json& object) {
  std::vector<Attribute> attributes;
  for (const auto& [key, value] : object.items()) attributes.push_back(AttributeOfJson(key, value));
  return attributes;
}

Attribute TextAttribute(std::string key, std::string text) {
  return {.key = std::move(key), .type = ValueType::kString, .payload = std::move(text)};
}

}  // namespace larder
