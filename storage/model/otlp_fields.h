// Field numbers of opentelemetry.proto.{trace,common,resource}.v1, as tags: number << 3 | wire
// type. Source: https://github.com/open-telemetry/opentelemetry-proto, release 1.7.
//
// Within 1..kLast a field with another wire type is a broken message; a number beyond kLast (or one
// that OTLP has reserved) is an unknown field, which is kept.
#pragma once

#include <cstdint>

namespace larder::otlp {

constexpr uint32_t Varint(uint32_t number) { return number << 3; }
constexpr uint32_t Fixed64(uint32_t number) { return number << 3 | 1; }
constexpr uint32_t Bytes(uint32_t number) { return number << 3 | 2; }
constexpr uint32_t Fixed32(uint32_t number) { return number << 3 | 5; }

namespace any_value {
inline constexpr uint32_t kString = Bytes(1), kBool = Varint(2), kInt = Varint(3),
                          kDouble = Fixed64(4), kArray = Bytes(5), kKvList = Bytes(6),
                          kBytes = Bytes(7), kLast = 7;
}
namespace key_value {
inline constexpr uint32_t kKey = Bytes(1), kValue = Bytes(2), kLast = 2;
}
namespace list {  // ArrayValue and KeyValueList
inline constexpr uint32_t kValues = Bytes(1), kLast = 1;
}
namespace request {  // ExportTraceServiceRequest and TracesData
inline constexpr uint32_t kResourceSpans = Bytes(1), kLast = 1;
}
namespace group {  // ResourceSpans (children are ScopeSpans) and ScopeSpans (children are Spans)
inline constexpr uint32_t kOwner = Bytes(1), kChildren = Bytes(2), kSchemaUrl = Bytes(3), kLast = 3;
}
namespace resource {
inline constexpr uint32_t kAttributes = Bytes(1), kDroppedAttributes = Varint(2), kLast = 2;
}
namespace scope {
inline constexpr uint32_t kName = Bytes(1), kVersion = Bytes(2), kAttributes = Bytes(3),
                          kDroppedAttributes = Varint(4), kLast = 4;
}
namespace span {
inline constexpr uint32_t kTraceId = Bytes(1), kSpanId = Bytes(2), kTraceState = Bytes(3),
                          kParentSpanId = Bytes(4), kName = Bytes(5), kKind = Varint(6),
                          kStart = Fixed64(7), kEnd = Fixed64(8), kAttributes = Bytes(9),
                          kDroppedAttributes = Varint(10), kEvents = Bytes(11),
                          kDroppedEvents = Varint(12), kLinks = Bytes(13),
                          kDroppedLinks = Varint(14), kStatus = Bytes(15), kFlags = Fixed32(16),
                          kLast = 16;
}
namespace status {  // number 1 is reserved
inline constexpr uint32_t kMessage = Bytes(2), kCode = Varint(3), kFirst = 2, kLast = 3;
}
namespace event {
inline constexpr uint32_t kTime = Fixed64(1), kName = Bytes(2), kAttributes = Bytes(3),
                          kDroppedAttributes = Varint(4), kLast = 4;
}
namespace link {
inline constexpr uint32_t kTraceId = Bytes(1), kSpanId = Bytes(2), kTraceState = Bytes(3),
                          kAttributes = Bytes(4), kDroppedAttributes = Varint(5),
                          kFlags = Fixed32(6), kLast = 6;
}

}  // namespace larder::otlp
