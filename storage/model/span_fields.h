// A Span message taken apart into views, and put together again: the one reader and the one writer
// of spans, behind SpanTable, DecodeSpans and whoever has a span in columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// A run of entries in a list kept elsewhere.
struct ListRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

struct EventFields {
  uint64_t time_ns = 0;
  std::string_view name;
  ListRange attributes;  // in SpanFields::key_values
  uint32_t dropped_attributes = 0;
  std::string unknown;  // unknown fields as they came
  std::string rest;     // for writing: MakeEventRest of the two above
};

struct LinkFields {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view trace_state;
  uint32_t flags = 0;
  ListRange attributes;
  uint32_t dropped_attributes = 0;
  std::string unknown;
  std::string rest;
};

// The views borrow from the message (reading) or from the caller (writing). Meant to be used for
// one span after the other: it keeps its memory.
struct SpanFields {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_span_id;
  std::string_view trace_state;
  std::string_view name;
  int32_t kind = 0;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  int32_t status_code = 0;
  std::string_view status_message;
  uint32_t flags = 0;
  std::vector<std::string_view> key_values;  // KeyValue messages of all attribute lists
  ListRange attributes;
  std::vector<EventFields> events;
  std::vector<LinkFields> links;

  uint32_t dropped_attributes = 0;
  uint32_t dropped_events = 0;
  uint32_t dropped_links = 0;
  std::string status_unknown;
  std::string unknown;
  // What stands at the end of the written span: see MakeSpanRest.
  std::string rest;

  void Clear();

  // Of ReadSpan, kept for their memory.
  std::vector<std::string_view> event_messages;
  std::vector<std::string_view> link_messages;
};

enum class SpanFault : uint8_t {
  kNone,
  kMistyped,  // a field of OTLP has another wire type
  kTooLarge,  // more items than allowed: a KeyValue counts one, an event or link kNestedItemWeight
};
inline constexpr uint32_t kNestedItemWeight = 4;

// Takes a Span message apart; ids are not judged, KeyValues not looked into, rests left empty. Of a
// repeated field the last one counts, repeated Status messages are merged, as protobuf does it.
// `*items_left` is what the span may have, lessened by what it has; two bytes on the wire can be an
// event, so that memory needs this bound. Throws protozero::exception on broken bytes.
SpanFault ReadSpan(std::string_view message, uint32_t* items_left, SpanFields* span);

// Appends what has no field of its own in the writers below, in its canonical form: dropped counts,
// unknown fields, and those of the status in a second Status (readers merge them).
void AppendSpanRest(const SpanFields& span, std::string* rest);
void AppendEventRest(const EventFields& event, std::string* rest);
void AppendLinkRest(const LinkFields& link, std::string* rest);

// Appends the Span message: fields in the order of their numbers, defaults left out, then
// span.rest. Of the dropped counts and unknown fields nothing is written but the rests. Equal
// fields give equal bytes.
void WriteSpan(const SpanFields& span, std::string* out);

}  // namespace larder
