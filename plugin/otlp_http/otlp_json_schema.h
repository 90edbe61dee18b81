// The messages of an OTLP request as their JSON names them: names in lowerCamelCase, ids in hex,
// enums as numbers, 64-bit integers as strings or numbers, bytes in base64.
// Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and the field numbers of
// storage/model/otlp_fields.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace larder::otlp_json {

enum class Kind : uint8_t {
  kString,
  kHex,     // trace and span ids: hex in any case
  kBase64,  // the standard alphabet or the one for URLs, padded or not
  kBool,
  kInt64,    // varint
  kUint32,   // varint
  kEnum,     // varint; the names of the .proto file are taken too
  kFixed64,  // unsigned
  kFixed32,  // unsigned
  kDouble,
  kMessage,
  kMessages,  // an array of them
  kStrings,   // an array of strings
};

struct Message;

struct Field {
  std::string_view name;
  uint32_t tag;
  Kind kind;
  // The child, for kMessage and kMessages.
  const Message* message = nullptr;
  // Numbered from 0, for kEnum.
  std::span<const std::string_view> words = {};
};

struct Message {
  std::span<const Field> fields;
  // A field of a oneof says by being there which one it is, so its default value is written too.
  bool is_oneof = false;
};

// ExportTraceServiceRequest.
extern const Message kRequest;

}  // namespace larder::otlp_json
