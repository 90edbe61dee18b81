#include "plugin/otlp_http/otlp_json_schema.h"

#include "storage/model/otlp_fields.h"

namespace larder::otlp_json {
namespace {

extern const Message kAnyValue;

constexpr std::string_view kKindWords[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::string_view kStatusWords[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                             "STATUS_CODE_ERROR"};

constexpr Field kKeyValueFields[] = {
    {"key", otlp::key_value::kKey, Kind::kString},
    {"value", otlp::key_value::kValue, Kind::kMessage, &kAnyValue},
};
constexpr Message kKeyValue = {kKeyValueFields};

constexpr Field kArrayFields[] = {
    {"values", otlp::list::kValues, Kind::kMessages, &kAnyValue},
};
constexpr Message kArray = {kArrayFields};

constexpr Field kKvListFields[] = {
    {"values", otlp::list::kValues, Kind::kMessages, &kKeyValue},
};
constexpr Message kKvList = {kKvListFields};

constexpr Field kAnyValueFields[] = {
    {"stringValue", otlp::any_value::kString, Kind::kString},
    {"boolValue", otlp::any_value::kBool, Kind::kBool},
    {"intValue", otlp::any_value::kInt, Kind::kInt64},
    {"doubleValue", otlp::any_value::kDouble, Kind::kDouble},
    {"arrayValue", otlp::any_value::kArray, Kind::kMessage, &kArray},
    {"kvlistValue", otlp::any_value::kKvList, Kind::kMessage, &kKvList},
    {"bytesValue", otlp::any_value::kBytes, Kind::kBase64},
};
constexpr Message kAnyValue = {kAnyValueFields, true};

// To the store an entity reference is a field that it keeps and does not look into.
constexpr Field kEntityRefFields[] = {
    {"schemaUrl", otlp::Bytes(1), Kind::kString},
    {"type", otlp::Bytes(2), Kind::kString},
    {"idKeys", otlp::Bytes(3), Kind::kStrings},
    {"descriptionKeys", otlp::Bytes(4), Kind::kStrings},
};
constexpr Message kEntityRef = {kEntityRefFields};

constexpr Field kResourceFields[] = {
    {"attributes", otlp::resource::kAttributes, Kind::kMessages, &kKeyValue},
    {"droppedAttributesCount", otlp::resource::kDroppedAttributes, Kind::kUint32},
    {"entityRefs", otlp::Bytes(3), Kind::kMessages, &kEntityRef},
};
constexpr Message kResource = {kResourceFields};

constexpr Field kScopeFields[] = {
    {"name", otlp::scope::kName, Kind::kString},
    {"version", otlp::scope::kVersion, Kind::kString},
    {"attributes", otlp::scope::kAttributes, Kind::kMessages, &kKeyValue},
    {"droppedAttributesCount", otlp::scope::kDroppedAttributes, Kind::kUint32},
};
constexpr Message kScope = {kScopeFields};

constexpr Field kEventFields[] = {
    {"timeUnixNano", otlp::event::kTime, Kind::kFixed64},
    {"name", otlp::event::kName, Kind::kString},
    {"attributes", otlp::event::kAttributes, Kind::kMessages, &kKeyValue},
    {"droppedAttributesCount", otlp::event::kDroppedAttributes, Kind::kUint32},
};
constexpr Message kEvent = {kEventFields};

constexpr Field kLinkFields[] = {
    {"traceId", otlp::link::kTraceId, Kind::kHex},
    {"spanId", otlp::link::kSpanId, Kind::kHex},
    {"traceState", otlp::link::kTraceState, Kind::kString},
    {"attributes", otlp::link::kAttributes, Kind::kMessages, &kKeyValue},
    {"droppedAttributesCount", otlp::link::kDroppedAttributes, Kind::kUint32},
    {"flags", otlp::link::kFlags, Kind::kFixed32},
};
constexpr Message kLink = {kLinkFields};

constexpr Field kStatusFields[] = {
    {"message", otlp::status::kMessage, Kind::kString},
    {"code", otlp::status::kCode, Kind::kEnum, nullptr, kStatusWords},
};
constexpr Message kStatus = {kStatusFields};

constexpr Field kSpanFields[] = {
    {"traceId", otlp::span::kTraceId, Kind::kHex},
    {"spanId", otlp::span::kSpanId, Kind::kHex},
    {"traceState", otlp::span::kTraceState, Kind::kString},
    {"parentSpanId", otlp::span::kParentSpanId, Kind::kHex},
    {"flags", otlp::span::kFlags, Kind::kFixed32},
    {"name", otlp::span::kName, Kind::kString},
    {"kind", otlp::span::kKind, Kind::kEnum, nullptr, kKindWords},
    {"startTimeUnixNano", otlp::span::kStart, Kind::kFixed64},
    {"endTimeUnixNano", otlp::span::kEnd, Kind::kFixed64},
    {"attributes", otlp::span::kAttributes, Kind::kMessages, &kKeyValue},
    {"droppedAttributesCount", otlp::span::kDroppedAttributes, Kind::kUint32},
    {"events", otlp::span::kEvents, Kind::kMessages, &kEvent},
    {"droppedEventsCount", otlp::span::kDroppedEvents, Kind::kUint32},
    {"links", otlp::span::kLinks, Kind::kMessages, &kLink},
    {"droppedLinksCount", otlp::span::kDroppedLinks, Kind::kUint32},
    {"status", otlp::span::kStatus, Kind::kMessage, &kStatus},
};
constexpr Message kSpan = {kSpanFields};

constexpr Field kScopeSpansFields[] = {
    {"scope", otlp::group::kOwner, Kind::kMessage, &kScope},
    {"spans", otlp::group::kChildren, Kind::kMessages, &kSpan},
    {"schemaUrl", otlp::group::kSchemaUrl, Kind::kString},
};
constexpr Message kScopeSpans = {kScopeSpansFields};

constexpr Field kResourceSpansFields[] = {
    {"resource", otlp::group::kOwner, Kind::kMessage, &kResource},
    {"scopeSpans", otlp::group::kChildren, Kind::kMessages, &kScopeSpans},
    {"schemaUrl", otlp::group::kSchemaUrl, Kind::kString},
};
constexpr Message kResourceSpans = {kResourceSpansFields};

constexpr Field kRequestFields[] = {
    {"resourceSpans", otlp::request::kResourceSpans, Kind::kMessages, &kResourceSpans},
};

}  // namespace

constexpr Message kRequest = {kRequestFields};

}  // namespace larder::otlp_json
