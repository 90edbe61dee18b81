#include "storage/model/value.h"

#include <cstring>

#include "storage/model/key_value_reader.h"
#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// What stands before a payload in a KeyValue, after the key's bytes: at most two one-byte tags, two
// lengths, and a number.
constexpr size_t kValueHeaderBytesMax = 2 + 3 * wire::kVarintBytesMax;

ValueFault CheckAnyValue(std::string_view message, uint32_t nesting_left);

ValueFault CheckKeyValue(std::string_view message, uint32_t nesting_left) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::key_value::kKey:
        reader.skip();
        break;
      case otlp::key_value::kValue: {
        const ValueFault fault = CheckAnyValue(reader.View(), nesting_left);
        if (fault != ValueFault::kNone) return fault;
        break;
      }
      default:
        if (reader.IsMistyped(otlp::key_value::kLast)) return ValueFault::kMalformed;
        reader.skip();
    }
  }
  return ValueFault::kNone;
}

// An ArrayValue or KeyValueList; `nesting_left` counts what may still lie inside.
ValueFault CheckList(std::string_view message, bool of_pairs, uint32_t nesting_left) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::list::kValues) {
      if (nesting_left == 0) return ValueFault::kTooDeep;
      const std::string_view element = reader.View();
      const ValueFault fault = of_pairs ? CheckKeyValue(element, nesting_left - 1)
                                        : CheckAnyValue(element, nesting_left - 1);
      if (fault != ValueFault::kNone) return fault;
    } else if (reader.IsMistyped(otlp::list::kLast)) {
      return ValueFault::kMalformed;
    } else {
      reader.skip();
    }
  }
  return ValueFault::kNone;
}

// Reads the current field of an AnyValue into `attribute`; unknown fields are skipped.
ValueFault ReadAnyField(wire::Reader* reader, uint32_t nesting_left, char* scratch,
                        AttributeView* attribute) {
  switch (reader->tag_and_type()) {
    case otlp::any_value::kString:
      *attribute = {attribute->key, ValueType::kString, reader->View()};
      return ValueFault::kNone;
    case otlp::any_value::kBytes:
      *attribute = {attribute->key, ValueType::kBytes, reader->View()};
      return ValueFault::kNone;
    case otlp::any_value::kBool: {
      static constexpr char kBools[2] = {0, 1};
      *attribute = {attribute->key, ValueType::kBool, {&kBools[reader->get_uint64() != 0], 1}};
      return ValueFault::kNone;
    }
    case otlp::any_value::kInt: {
      const int64_t value = reader->get_int64();
      std::memcpy(scratch, &value, sizeof value);
      *attribute = {attribute->key, ValueType::kInt, {scratch, sizeof value}};
      return ValueFault::kNone;
    }
    case otlp::any_value::kDouble: {
      const std::string_view field = reader->SkipField();
      *attribute = {attribute->key, ValueType::kDouble, field.substr(field.size() - 8)};
      return ValueFault::kNone;
    }
    case otlp::any_value::kArray:
      *attribute = {attribute->key, ValueType::kArray, reader->View()};
      return CheckList(attribute->payload, false, nesting_left);
    case otlp::any_value::kKvList:
      *attribute = {attribute->key, ValueType::kKvList, reader->View()};
      return CheckList(attribute->payload, true, nesting_left);
    default:
      if (reader->IsMistyped(otlp::any_value::kLast)) return ValueFault::kMalformed;
      reader->skip();
      return ValueFault::kNone;
  }
}

ValueFault ReadAnyValue(std::string_view message, uint32_t nesting_left, char* scratch,
                        AttributeView* attribute) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    const ValueFault fault = ReadAnyField(&reader, nesting_left, scratch, attribute);
    if (fault != ValueFault::kNone) return fault;
  }
  return ValueFault::kNone;
}

ValueFault CheckAnyValue(std::string_view message, uint32_t nesting_left) {
  char scratch[8];
  AttributeView ignored;
  return ReadAnyValue(message, nesting_left, scratch, &ignored);
}

char* WriteBytesHeader(uint32_t tag, size_t size, char* to) {
  return wire::WriteVarint(size, wire::WriteVarint(tag, to));
}

// The AnyValue without the payload of a length-delimited value.
char* WriteAnyHeader(const AttributeView& attribute, char* to) {
  const std::string_view payload = attribute.payload;
  switch (attribute.type) {
    case ValueType::kString:
      return WriteBytesHeader(otlp::any_value::kString, payload.size(), to);
    case ValueType::kBytes:
      return WriteBytesHeader(otlp::any_value::kBytes, payload.size(), to);
    case ValueType::kArray:
      return WriteBytesHeader(otlp::any_value::kArray, payload.size(), to);
    case ValueType::kKvList:
      return WriteBytesHeader(otlp::any_value::kKvList, payload.size(), to);
    case ValueType::kBool:
      to = wire::WriteVarint(otlp::any_value::kBool, to);
      *to++ = payload[0];
      return to;
    case ValueType::kInt: {
      uint64_t value = 0;
      std::memcpy(&value, payload.data(), sizeof value);
      return wire::WriteVarint(value, wire::WriteVarint(otlp::any_value::kInt, to));
    }
    case ValueType::kDouble:
      to = wire::WriteVarint(otlp::any_value::kDouble, to);
      std::memcpy(to, payload.data(), 8);
      return to + 8;
    case ValueType::kEmpty:
    case ValueType::kRaw:
      return to;
  }
  return to;
}

bool HasBytesPayload(ValueType type) {
  return type == ValueType::kString || type == ValueType::kBytes || type == ValueType::kArray ||
         type == ValueType::kKvList;
}

// The value field without such a payload: value tag, length, AnyValue header.
char* WriteValueHeader(const AttributeView& attribute, char* to) {
  char any[kValueHeaderBytesMax];
  const size_t any_size = static_cast<size_t>(WriteAnyHeader(attribute, any) - any);
  const size_t payload_size = HasBytesPayload(attribute.type) ? attribute.payload.size() : 0;
  to = WriteBytesHeader(otlp::key_value::kValue, any_size + payload_size, to);
  std::memcpy(to, any, any_size);
  return to + any_size;
}

// Whether EncodeKeyValue(attribute) == key_value, without writing it: the views of `attribute` lie
// in `key_value`, so only what stands between them needs comparing.
bool IsReproducible(std::string_view key_value, const AttributeView& attribute) {
  char header[kValueHeaderBytesMax];
  const char* at = key_value.data();
  if (!attribute.key.empty()) {
    const char* end = WriteBytesHeader(otlp::key_value::kKey, attribute.key.size(), header);
    const size_t size = static_cast<size_t>(end - header);
    if (key_value.substr(0, size) != std::string_view(header, size)) return false;
    if (attribute.key.data() != at + size) return false;
    at += size + attribute.key.size();
  }
  const std::string_view rest(at, static_cast<size_t>(key_value.data() + key_value.size() - at));
  const size_t size = static_cast<size_t>(WriteValueHeader(attribute, header) - header);
  if (rest.substr(0, size) != std::string_view(header, size)) return false;
  if (!HasBytesPayload(attribute.type)) return rest.size() == size;
  return rest.size() == size + attribute.payload.size();
}

Status FaultStatus(ValueFault fault) {
  return Status::InvalidArgument(fault == ValueFault::kTooDeep ? "attribute value nested too deep"
                                                               : "attribute is not a KeyValue");
}

}  // namespace

ValueFault ReadKeyValue(std::string_view key_value, uint32_t nesting_max, char* scratch,
                        AttributeView* attribute) {
  *attribute = {};
  wire::Reader reader(key_value);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::key_value::kKey:
        attribute->key = reader.View();
        break;
      case otlp::key_value::kValue: {
        const ValueFault fault = ReadAnyValue(reader.View(), nesting_max, scratch, attribute);
        if (fault != ValueFault::kNone) return fault;
        break;
      }
      default:
        if (reader.IsMistyped(otlp::key_value::kLast)) return ValueFault::kMalformed;
        reader.skip();
    }
  }
  return ValueFault::kNone;
}

void MakeReproducible(std::string_view key_value, AttributeView* attribute) {
  if (IsReproducible(key_value, *attribute)) return;
  attribute->type = ValueType::kRaw;
  attribute->payload = key_value;
}

Result<AttributeView> InterpretKeyValue(std::string_view key_value, char* scratch) {
  AttributeView attribute;
  try {
    const ValueFault fault = ReadKeyValue(key_value, kNestingMax, scratch, &attribute);
    if (fault != ValueFault::kNone) return FaultStatus(fault);
  } catch (const protozero::exception&) {
    return FaultStatus(ValueFault::kMalformed);
  }
  return attribute;
}

Result<AttributeView> DecodeKeyValue(std::string_view key_value, char* scratch) {
  LARDER_ASSIGN_OR_RETURN(AttributeView attribute, InterpretKeyValue(key_value, scratch));
  MakeReproducible(key_value, &attribute);
  return attribute;
}

void EncodeKeyValue(const AttributeView& attribute, std::string* out) {
  if (attribute.type == ValueType::kRaw) {
    out->append(attribute.payload);
    return;
  }
  wire::AppendBytesIfAny(otlp::key_value::kKey, attribute.key, out);
  char header[kValueHeaderBytesMax];
  out->append(header, static_cast<size_t>(WriteValueHeader(attribute, header) - header));
  if (HasBytesPayload(attribute.type)) out->append(attribute.payload);
}

}  // namespace larder
