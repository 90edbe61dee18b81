// Attribute values as they lie in memory and on disk: a type and a payload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// The stored type of an attribute value. Part of the segment format: never renumber.
enum class ValueType : uint8_t {
  kEmpty = 0,   // AnyValue with none set; no payload
  kString = 1,  // payload: the bytes, perhaps not UTF-8
  kBool = 2,    // payload: one byte, 0 or 1
  kInt = 3,     // payload: int64, 8 bytes little-endian
  kDouble = 4,  // payload: IEEE 754, 8 bytes little-endian
  kArray = 5,   // payload: the ArrayValue message as received
  kKvList = 6,  // payload: the KeyValueList message as received
  kBytes = 7,   // payload: the bytes
  kRaw = 8,     // payload: a whole KeyValue message that key, type and value cannot reproduce
             // (unknown fields, repeated fields, no value field, another order); InterpretKeyValue
             // tells what it means
};

// One attribute. The views borrow from whoever made it (a SpanTable, a page, a message).
struct AttributeView {
  std::string_view key;
  ValueType type = ValueType::kEmpty;
  std::string_view payload;
};

// AnyValue inside AnyValue deeper than this is refused everywhere: it bounds recursion.
inline constexpr uint32_t kNestingMax = 1000;

// Reads a wire KeyValue so that EncodeKeyValue gives the same bytes again: what it could not
// reproduce is kRaw. Broken protobuf inside is kInvalidArgument. The views point into `key_value`
// except for int, whose payload is written to `scratch` (8 bytes that must outlive the view).
Result<AttributeView> DecodeKeyValue(std::string_view key_value, char* scratch);

// The same, but what the message means rather than what it looks like: never kRaw. Of a field that
// is repeated the last one counts.
Result<AttributeView> InterpretKeyValue(std::string_view key_value, char* scratch);

// Appends the KeyValue message of an attribute to `out`: what DecodeKeyValue reads back the same.
void EncodeKeyValue(const AttributeView& attribute, std::string* out);

// The canonical text of a value, by which Jaeger compares (pdata's AsString): see
// value_text.cc for the rules of each type.
std::string ValueText(ValueType type, std::string_view payload);

}  // namespace larder
