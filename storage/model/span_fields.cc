#include "storage/model/span_fields.h"

#include <algorithm>

#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

bool ReadStatus(std::string_view message, SpanFields* span) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::status::kMessage:
        span->status_message = reader.View();
        break;
      case otlp::status::kCode:
        span->status_code = reader.get_int32();
        break;
      default:
        if (reader.IsMistyped(otlp::status::kLast, otlp::status::kFirst)) return false;
        span->status_unknown += reader.SkipField();
    }
  }
  return true;
}

// Whether `count` more items may be read.
bool Take(uint32_t count, uint32_t* items_left) {
  if (*items_left < count) return false;
  *items_left -= count;
  return true;
}

SpanFault ReadEvent(std::string_view message, uint32_t* items_left, EventFields* event,
                    std::vector<std::string_view>* key_values) {
  event->attributes.first = static_cast<uint32_t>(key_values->size());
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::event::kTime:
        event->time_ns = reader.get_fixed64();
        break;
      case otlp::event::kName:
        event->name = reader.View();
        break;
      case otlp::event::kAttributes:
        if (!Take(1, items_left)) return SpanFault::kTooLarge;
        key_values->push_back(reader.View());
        break;
      case otlp::event::kDroppedAttributes:
        event->dropped_attributes = reader.get_uint32();
        break;
      default:
        if (reader.IsMistyped(otlp::event::kLast)) return SpanFault::kMistyped;
        event->unknown += reader.SkipField();
    }
  }
  event->attributes.count = static_cast<uint32_t>(key_values->size()) - event->attributes.first;
  return SpanFault::kNone;
}

SpanFault ReadLink(std::string_view message, uint32_t* items_left, LinkFields* link,
                   std::vector<std::string_view>* key_values) {
  link->attributes.first = static_cast<uint32_t>(key_values->size());
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::link::kTraceId:
        link->trace_id = reader.View();
        break;
      case otlp::link::kSpanId:
        link->span_id = reader.View();
        break;
      case otlp::link::kTraceState:
        link->trace_state = reader.View();
        break;
      case otlp::link::kAttributes:
        if (!Take(1, items_left)) return SpanFault::kTooLarge;
        key_values->push_back(reader.View());
        break;
      case otlp::link::kDroppedAttributes:
        link->dropped_attributes = reader.get_uint32();
        break;
      case otlp::link::kFlags:
        link->flags = reader.get_fixed32();
        break;
      default:
        if (reader.IsMistyped(otlp::link::kLast)) return SpanFault::kMistyped;
        link->unknown += reader.SkipField();
    }
  }
  link->attributes.count = static_cast<uint32_t>(key_values->size()) - link->attributes.first;
  return SpanFault::kNone;
}

// Fields that are scalars or unknown; false when mistyped.
bool ReadRareSpanField(wire::Reader* reader, SpanFields* span) {
  switch (reader->tag_and_type()) {
    case otlp::span::kTraceState:
      span->trace_state = reader->View();
      return true;
    case otlp::span::kDroppedAttributes:
      span->dropped_attributes = reader->get_uint32();
      return true;
    case otlp::span::kDroppedEvents:
      span->dropped_events = reader->get_uint32();
      return true;
    case otlp::span::kDroppedLinks:
      span->dropped_links = reader->get_uint32();
      return true;
    default:
      if (reader->IsMistyped(otlp::span::kLast)) return false;
      span->unknown += reader->SkipField();
      return true;
  }
}

// All fields but the insides of events and links: the span's attributes may come before, between
// and after those, and must lie together.
SpanFault ReadSpanTop(std::string_view message, uint32_t* items_left, SpanFields* span) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::span::kTraceId:
        span->trace_id = reader.View();
        break;
      case otlp::span::kSpanId:
        span->span_id = reader.View();
        break;
      case otlp::span::kParentSpanId:
        span->parent_span_id = reader.View();
        break;
      case otlp::span::kName:
        span->name = reader.View();
        break;
      case otlp::span::kKind:
        span->kind = reader.get_int32();
        break;
      case otlp::span::kStart:
        span->start_ns = reader.get_fixed64();
        break;
      case otlp::span::kEnd:
        span->end_ns = reader.get_fixed64();
        break;
      case otlp::span::kAttributes:
        if (!Take(1, items_left)) return SpanFault::kTooLarge;
        span->key_values.push_back(reader.View());
        break;
      case otlp::span::kEvents:
        if (!Take(kNestedItemWeight, items_left)) return SpanFault::kTooLarge;
        span->event_messages.push_back(reader.View());
        break;
      case otlp::span::kLinks:
        if (!Take(kNestedItemWeight, items_left)) return SpanFault::kTooLarge;
        span->link_messages.push_back(reader.View());
        break;
      case otlp::span::kStatus:
        if (!ReadStatus(reader.View(), span)) return SpanFault::kMistyped;
        break;
      case otlp::span::kFlags:
        span->flags = reader.get_fixed32();
        break;
      default:
        if (!ReadRareSpanField(&reader, span)) return SpanFault::kMistyped;
    }
  }
  return SpanFault::kNone;
}

size_t KeyValuesSize(uint32_t tag, const SpanFields& span, ListRange range) {
  size_t size = 0;
  for (uint32_t i = 0; i < range.count; ++i) {
    size += wire::BytesFieldSize(tag, span.key_values[range.first + i].size());
  }
  return size;
}

// Most of a span's bytes: room is made once for all.
void WriteKeyValues(uint32_t tag, const SpanFields& span, ListRange range, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + KeyValuesSize(tag, span, range));
  char* to = out->data() + begin;
  for (uint32_t i = 0; i < range.count; ++i) {
    const std::string_view key_value = span.key_values[range.first + i];
    to = wire::WriteVarint(key_value.size(), wire::WriteVarint(tag, to));
    to = std::copy(key_value.begin(), key_value.end(), to);
  }
}

size_t SizeIfAny(uint32_t tag, std::string_view bytes) {
  return bytes.empty() ? 0 : wire::BytesFieldSize(tag, bytes.size());
}

void WriteEvent(const SpanFields& span, const EventFields& event, std::string* out) {
  const size_t size = (event.time_ns != 0 ? 9 : 0) + SizeIfAny(otlp::event::kName, event.name) +
                      KeyValuesSize(otlp::event::kAttributes, span, event.attributes) +
                      event.rest.size();
  wire::AppendBytesHeader(otlp::span::kEvents, size, out);
  wire::AppendFixedIfAny(otlp::event::kTime, event.time_ns, out);
  wire::AppendBytesIfAny(otlp::event::kName, event.name, out);
  WriteKeyValues(otlp::event::kAttributes, span, event.attributes, out);
  out->append(event.rest);
}

void WriteLink(const SpanFields& span, const LinkFields& link, std::string* out) {
  const size_t size = SizeIfAny(otlp::link::kTraceId, link.trace_id) +
                      SizeIfAny(otlp::link::kSpanId, link.span_id) +
                      SizeIfAny(otlp::link::kTraceState, link.trace_state) +
                      KeyValuesSize(otlp::link::kAttributes, span, link.attributes) +
                      (link.flags != 0 ? 5 : 0) + link.rest.size();
  wire::AppendBytesHeader(otlp::span::kLinks, size, out);
  wire::AppendBytesIfAny(otlp::link::kTraceId, link.trace_id, out);
  wire::AppendBytesIfAny(otlp::link::kSpanId, link.span_id, out);
  wire::AppendBytesIfAny(otlp::link::kTraceState, link.trace_state, out);
  WriteKeyValues(otlp::link::kAttributes, span, link.attributes, out);
  wire::AppendFixedIfAny(otlp::link::kFlags, link.flags, out);
  out->append(link.rest);
}

void WriteStatus(const SpanFields& span, std::string* out) {
  const size_t code_size =
      span.status_code == 0 ? 0 : 1 + wire::VarintSize(wire::FromInt32(span.status_code));
  const size_t size = SizeIfAny(otlp::status::kMessage, span.status_message) + code_size;
  if (size == 0) return;
  wire::AppendBytesHeader(otlp::span::kStatus, size, out);
  wire::AppendBytesIfAny(otlp::status::kMessage, span.status_message, out);
  wire::AppendVarintIfAny(otlp::status::kCode, wire::FromInt32(span.status_code), out);
}

}  // namespace

void SpanFields::Clear() {
  trace_id = span_id = parent_span_id = trace_state = name = status_message = {};
  kind = status_code = 0;
  start_ns = end_ns = 0;
  flags = dropped_attributes = dropped_events = dropped_links = 0;
  key_values.clear();
  attributes = {};
  events.clear();
  links.clear();
  event_messages.clear();
  link_messages.clear();
  status_unknown.clear();
  unknown.clear();
  rest.clear();
}

SpanFault ReadSpan(std::string_view message, uint32_t* items_left, SpanFields* span) {
  span->Clear();
  SpanFault fault = ReadSpanTop(message, items_left, span);
  if (fault != SpanFault::kNone) return fault;
  span->attributes = {.first = 0, .count = static_cast<uint32_t>(span->key_values.size())};
  for (const std::string_view event : span->event_messages) {
    fault = ReadEvent(event, items_left, &span->events.emplace_back(), &span->key_values);
    if (fault != SpanFault::kNone) return fault;
  }
  for (const std::string_view link : span->link_messages) {
    fault = ReadLink(link, items_left, &span->links.emplace_back(), &span->key_values);
    if (fault != SpanFault::kNone) return fault;
  }
  return SpanFault::kNone;
}

void AppendSpanRest(const SpanFields& span, std::string* rest) {
  wire::AppendVarintIfAny(otlp::span::kDroppedAttributes, span.dropped_attributes, rest);
  wire::AppendVarintIfAny(otlp::span::kDroppedEvents, span.dropped_events, rest);
  wire::AppendVarintIfAny(otlp::span::kDroppedLinks, span.dropped_links, rest);
  wire::AppendBytesIfAny(otlp::span::kStatus, span.status_unknown, rest);
  rest->append(span.unknown);
}

void AppendEventRest(const EventFields& event, std::string* rest) {
  wire::AppendVarintIfAny(otlp::event::kDroppedAttributes, event.dropped_attributes, rest);
  rest->append(event.unknown);
}

void AppendLinkRest(const LinkFields& link, std::string* rest) {
  wire::AppendVarintIfAny(otlp::link::kDroppedAttributes, link.dropped_attributes, rest);
  rest->append(link.unknown);
}

void WriteSpan(const SpanFields& span, std::string* out) {
  wire::AppendBytesIfAny(otlp::span::kTraceId, span.trace_id, out);
  wire::AppendBytesIfAny(otlp::span::kSpanId, span.span_id, out);
  wire::AppendBytesIfAny(otlp::span::kTraceState, span.trace_state, out);
  wire::AppendBytesIfAny(otlp::span::kParentSpanId, span.parent_span_id, out);
  wire::AppendBytesIfAny(otlp::span::kName, span.name, out);
  wire::AppendVarintIfAny(otlp::span::kKind, wire::FromInt32(span.kind), out);
  wire::AppendFixedIfAny(otlp::span::kStart, span.start_ns, out);
  wire::AppendFixedIfAny(otlp::span::kEnd, span.end_ns, out);
  WriteKeyValues(otlp::span::kAttributes, span, span.attributes, out);
  for (const EventFields& event : span.events) WriteEvent(span, event, out);
  for (const LinkFields& link : span.links) WriteLink(span, link, out);
  WriteStatus(span, out);
  wire::AppendFixedIfAny(otlp::span::kFlags, span.flags, out);
  out->append(span.rest);
}

}  // namespace larder
