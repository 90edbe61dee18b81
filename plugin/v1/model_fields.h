// Field numbers of jaeger.api_v2 (proto/jaeger/api_v2/model.proto) as tags, in the manner of
// storage/model/otlp_fields.h, and the tag keys that stand for fields of OTLP.
// Source of the keys: the translator that Jaeger itself uses, opentelemetry-collector-contrib
// pkg/translator/jaeger v0.140.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/model/otlp_fields.h"

namespace larder::v1 {

using otlp::Bytes;
using otlp::Fixed64;
using otlp::Varint;

namespace key_value {
inline constexpr uint32_t kKey = Bytes(1), kType = Varint(2), kString = Bytes(3), kBool = Varint(4),
                          kInt64 = Varint(5), kFloat64 = Fixed64(6), kBinary = Bytes(7);
}
namespace log {
inline constexpr uint32_t kTime = Bytes(1), kFields = Bytes(2);
}
namespace reference {
inline constexpr uint32_t kTraceId = Bytes(1), kSpanId = Bytes(2), kType = Varint(3);
inline constexpr uint32_t kChildOf = 0, kFollowsFrom = 1;  // types
}  // namespace reference
namespace process {
inline constexpr uint32_t kServiceName = Bytes(1), kTags = Bytes(2);
}
namespace span {
inline constexpr uint32_t kTraceId = Bytes(1), kSpanId = Bytes(2), kOperationName = Bytes(3),
                          kReferences = Bytes(4), kFlags = Varint(5), kStartTime = Bytes(6),
                          kDuration = Bytes(7), kTags = Bytes(8), kLogs = Bytes(9),
                          kProcess = Bytes(10), kProcessId = Bytes(11), kWarnings = Bytes(12),
                          kLast = 12;
inline constexpr uint32_t kSampled = 1;  // the flag that OTLP has too
}  // namespace span
namespace seconds_and_nanos {  // google.protobuf.Timestamp and Duration
inline constexpr uint32_t kSeconds = Varint(1), kNanos = Varint(2);
}

// A field of OTLP's Span that OTLP does not know and every store keeps: the fields of a v1 span
// that have no place in OTLP (flags beyond kSampled, the process id, unknown fields), as they came.
inline constexpr uint32_t kRestInOtlp = Bytes(50'001);

inline constexpr std::string_view kSpanKindKey = "span.kind";
inline constexpr std::string_view kErrorKey = "error";
inline constexpr std::string_view kStatusCodeKey = "otel.status_code";
inline constexpr std::string_view kStatusDescriptionKey = "otel.status_description";
inline constexpr std::string_view kHttpStatusCodeKey = "http.status_code";
inline constexpr std::string_view kHttpStatusMessageKey = "http.status_message";
inline constexpr std::string_view kScopeNameKey = "otel.scope.name";
inline constexpr std::string_view kScopeVersionKey = "otel.scope.version";
inline constexpr std::string_view kTraceStateKey = "w3c.tracestate";
inline constexpr std::string_view kEventKey = "event";
inline constexpr std::string_view kReferenceTypeKey = "opentracing.ref_type";
inline constexpr std::string_view kChildOfWord = "child_of";
inline constexpr std::string_view kFollowsFromWord = "follows_from";
inline constexpr std::string_view kServiceNameKey = "service.name";
inline constexpr std::string_view kNoServiceName = "OTLPResourceNoServiceName";
inline constexpr std::string_view kStatusOk = "OK";
inline constexpr std::string_view kStatusError = "ERROR";

}  // namespace larder::v1
