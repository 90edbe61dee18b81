#include <deque>

#include "storage/model/envelope.h"
#include "storage/model/span.h"
#include "storage/model/span_fields.h"
#include "storage/model/traces_data_writer.h"

namespace larder {
namespace {

// Encodes attributes one after the other and keeps them: a deque, since the views must stay.
class KeyValues {
 public:
  std::string_view Add(const Attribute& attribute) {
    std::string& key_value = kept_.emplace_back();
    EncodeKeyValue({attribute.key, attribute.type, attribute.payload}, &key_value);
    return key_value;
  }

 private:
  std::deque<std::string> kept_;
};

std::string EncodeResource(const Resource& resource) {
  KeyValues key_values;
  ResourceFields fields;
  for (const Attribute& attribute : resource.attributes) {
    fields.key_values.push_back(key_values.Add(attribute));
  }
  fields.dropped_attributes = resource.dropped_attributes;
  fields.schema_url = resource.schema_url;
  fields.unknown = resource.unknown;
  fields.outer_unknown = resource.outer_unknown;
  std::string envelope;
  WriteResource(fields, &envelope);
  return envelope;
}

std::string EncodeScope(const Scope& scope) {
  KeyValues key_values;
  ScopeFields fields;
  fields.name = scope.name;
  fields.version = scope.version;
  for (const Attribute& attribute : scope.attributes) {
    fields.key_values.push_back(key_values.Add(attribute));
  }
  fields.dropped_attributes = scope.dropped_attributes;
  fields.schema_url = scope.schema_url;
  fields.unknown = scope.unknown;
  fields.outer_unknown = scope.outer_unknown;
  std::string envelope;
  WriteScope(fields, &envelope);
  return envelope;
}

template <typename Id>
std::string_view IdView(const Id& id) {
  return id.is_zero() ? std::string_view() : id.view();
}

// SpanFields of one span, and the KeyValues that its views point into.
class FieldsOfSpan {
 public:
  explicit FieldsOfSpan(const Span& span) {
    fields_.trace_id = IdView(span.trace_id);
    fields_.span_id = IdView(span.span_id);
    fields_.parent_span_id = IdView(span.parent_span_id);
    fields_.trace_state = span.trace_state;
    fields_.name = span.name;
    fields_.kind = span.kind;
    fields_.start_ns = span.start_ns;
    fields_.end_ns = span.end_ns;
    fields_.status_code = span.status_code;
    fields_.status_message = span.status_message;
    fields_.flags = span.flags;
    fields_.dropped_attributes = span.dropped_attributes;
    fields_.dropped_events = span.dropped_events;
    fields_.dropped_links = span.dropped_links;
    fields_.status_unknown = span.status_unknown;
    fields_.unknown = span.unknown;
    AppendSpanRest(fields_, &fields_.rest);
    fields_.attributes = Add(span.attributes);
    for (const Event& event : span.events) AddEvent(event);
    for (const Link& link : span.links) AddLink(link);
  }

  const SpanFields& fields() const { return fields_; }

 private:
  ListRange Add(const std::vector<Attribute>& attributes) {
    const ListRange range{.first = static_cast<uint32_t>(fields_.key_values.size()),
                          .count = static_cast<uint32_t>(attributes.size())};
    for (const Attribute& attribute : attributes) {
      fields_.key_values.push_back(key_values_.Add(attribute));
    }
    return range;
  }

  void AddEvent(const Event& from) {
    EventFields& event = fields_.events.emplace_back();
    event.time_ns = from.time_ns;
    event.name = from.name;
    event.attributes = Add(from.attributes);
    event.dropped_attributes = from.dropped_attributes;
    event.unknown = from.unknown;
    AppendEventRest(event, &event.rest);
  }

  void AddLink(const Link& from) {
    LinkFields& link = fields_.links.emplace_back();
    link.trace_id = IdView(from.trace_id);
    link.span_id = IdView(from.span_id);
    link.trace_state = from.trace_state;
    link.flags = from.flags;
    link.attributes = Add(from.attributes);
    link.dropped_attributes = from.dropped_attributes;
    link.unknown = from.unknown;
    AppendLinkRest(link, &link.rest);
  }

  SpanFields fields_;
  KeyValues key_values_;
};

}  // namespace

std::string EncodeSpans(const std::vector<Span>& spans) {
  TracesDataWriter writer;
  for (const Span& span : spans) {
    std::string message;
    WriteSpan(FieldsOfSpan(span).fields(), &message);
    writer.Add(span.resource ? EncodeResource(*span.resource) : std::string(),
               span.scope ? EncodeScope(*span.scope) : std::string(), message);
  }
  return writer.Finish();
}

}  // namespace larder
