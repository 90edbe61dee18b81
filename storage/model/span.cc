#include "storage/model/span.h"

#include <utility>

#include "storage/model/envelope.h"
#include "storage/model/otlp_fields.h"
#include "storage/model/span_fields.h"
#include "storage/model/traces_data_writer.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// A missing id is the zero id.
template <typename Id>
Status ReadId(std::string_view bytes, const char* what, Id* id) {
  if (bytes.empty()) return Status::Ok();
  if (bytes.size() != id->bytes.size()) {
    return Status::InvalidArgument(std::string(what) + " has " + std::to_string(bytes.size()) +
                                   " bytes");
  }
  *id = Id::From(bytes);
  return Status::Ok();
}

Status ReadAttribute(std::string_view key_value, std::vector<Attribute>* attributes) {
  char scratch[8];
  LARDER_ASSIGN_OR_RETURN(const AttributeView view, DecodeKeyValue(key_value, scratch));
  attributes->push_back({std::string(view.key), view.type, std::string(view.payload)});
  return Status::Ok();
}

Status ReadAttributes(const SpanFields& fields, ListRange range,
                      std::vector<Attribute>* attributes) {
  for (uint32_t i = 0; i < range.count; ++i) {
    LARDER_RETURN_IF_ERROR(ReadAttribute(fields.key_values[range.first + i], attributes));
  }
  return Status::Ok();
}

Status ReadEvents(const SpanFields& fields, std::vector<Event>* events) {
  for (const EventFields& from : fields.events) {
    Event& event = events->emplace_back();
    event.time_ns = from.time_ns;
    event.name = from.name;
    event.dropped_attributes = from.dropped_attributes;
    event.unknown = from.unknown;
    LARDER_RETURN_IF_ERROR(ReadAttributes(fields, from.attributes, &event.attributes));
  }
  return Status::Ok();
}

Status ReadLinks(const SpanFields& fields, std::vector<Link>* links) {
  for (const LinkFields& from : fields.links) {
    Link& link = links->emplace_back();
    LARDER_RETURN_IF_ERROR(ReadId(from.trace_id, "link trace id", &link.trace_id));
    LARDER_RETURN_IF_ERROR(ReadId(from.span_id, "link span id", &link.span_id));
    link.trace_state = from.trace_state;
    link.flags = from.flags;
    link.dropped_attributes = from.dropped_attributes;
    link.unknown = from.unknown;
    LARDER_RETURN_IF_ERROR(ReadAttributes(fields, from.attributes, &link.attributes));
  }
  return Status::Ok();
}

Status ReadSpanValues(const SpanFields& fields, Span* span) {
  LARDER_RETURN_IF_ERROR(ReadId(fields.trace_id, "trace id", &span->trace_id));
  LARDER_RETURN_IF_ERROR(ReadId(fields.span_id, "span id", &span->span_id));
  LARDER_RETURN_IF_ERROR(ReadId(fields.parent_span_id, "parent span id", &span->parent_span_id));
  span->trace_state = fields.trace_state;
  span->name = fields.name;
  span->kind = fields.kind;
  span->start_ns = fields.start_ns;
  span->end_ns = fields.end_ns;
  span->dropped_attributes = fields.dropped_attributes;
  span->dropped_events = fields.dropped_events;
  span->dropped_links = fields.dropped_links;
  span->status_code = fields.status_code;
  span->status_message = fields.status_message;
  span->status_unknown = fields.status_unknown;
  span->flags = fields.flags;
  span->unknown = fields.unknown;
  LARDER_RETURN_IF_ERROR(ReadAttributes(fields, fields.attributes, &span->attributes));
  LARDER_RETURN_IF_ERROR(ReadEvents(fields, &span->events));
  return ReadLinks(fields, &span->links);
}

Status NotOtlp() { return Status::InvalidArgument("not an OTLP message"); }

Result<std::shared_ptr<const Resource>> DecodeResource(std::string_view envelope) {
  ResourceFields fields;
  if (!ReadResource(envelope, &fields)) return NotOtlp();
  auto resource = std::make_shared<Resource>();
  for (const std::string_view key_value : fields.key_values) {
    LARDER_RETURN_IF_ERROR(ReadAttribute(key_value, &resource->attributes));
  }
  resource->dropped_attributes = fields.dropped_attributes;
  resource->schema_url = fields.schema_url;
  resource->unknown = std::move(fields.unknown);
  resource->outer_unknown = std::move(fields.outer_unknown);
  return std::shared_ptr<const Resource>(std::move(resource));
}

Result<std::shared_ptr<const Scope>> DecodeScope(std::string_view envelope) {
  ScopeFields fields;
  if (!ReadScope(envelope, &fields)) return NotOtlp();
  auto scope = std::make_shared<Scope>();
  for (const std::string_view key_value : fields.key_values) {
    LARDER_RETURN_IF_ERROR(ReadAttribute(key_value, &scope->attributes));
  }
  scope->name = fields.name;
  scope->version = fields.version;
  scope->dropped_attributes = fields.dropped_attributes;
  scope->schema_url = fields.schema_url;
  scope->unknown = std::move(fields.unknown);
  scope->outer_unknown = std::move(fields.outer_unknown);
  return std::shared_ptr<const Scope>(std::move(scope));
}

Status DecodeScopeSpans(std::string_view message, const std::shared_ptr<const Resource>& resource,
                        std::vector<Span>* spans) {
  std::string scratch;
  LARDER_ASSIGN_OR_RETURN(const auto scope, DecodeScope(ReadEnvelope(message, &scratch)));
  ChildReader children(message, otlp::group::kChildren);
  for (std::string_view child; children.Next(&child);) {
    SpanFields fields;
    uint32_t items_left = UINT32_MAX;
    if (ReadSpan(child, &items_left, &fields) != SpanFault::kNone) return NotOtlp();
    Span& span = spans->emplace_back();
    span.resource = resource;
    span.scope = scope;
    LARDER_RETURN_IF_ERROR(
        ReadSpanValues(fields, &span).With("span " + std::to_string(spans->size() - 1)));
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

Status DecodeResourceSpans(std::string_view message, std::vector<Span>* spans) {
  std::string scratch;
  LARDER_ASSIGN_OR_RETURN(const auto resource, DecodeResource(ReadEnvelope(message, &scratch)));
  ChildReader children(message, otlp::group::kChildren);
  for (std::string_view child; children.Next(&child);) {
    LARDER_RETURN_IF_ERROR(DecodeScopeSpans(child, resource, spans));
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

Status DecodeRequest(std::string_view traces_data, std::vector<Span>* spans) {
  ChildReader children(traces_data, otlp::request::kResourceSpans);
  for (std::string_view child; children.Next(&child);) {
    LARDER_RETURN_IF_ERROR(DecodeResourceSpans(child, spans));
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

}  // namespace

std::string_view Resource::service() const {
  for (const Attribute& attribute : attributes) {
    if (attribute.key != "service.name") continue;
    return attribute.type == ValueType::kString ? std::string_view(attribute.payload)
                                                : std::string_view();
  }
  return {};
}

bool operator==(const Span& a, const Span& b) {
  const auto fields = [](const Span& s) {
    return std::tie(s.trace_id, s.span_id, s.parent_span_id, s.trace_state, s.name, s.kind,
                    s.start_ns, s.end_ns, s.attributes, s.dropped_attributes, s.events,
                    s.dropped_events, s.links, s.dropped_links, s.status_code, s.status_message,
                    s.status_unknown, s.flags, s.unknown, *s.resource, *s.scope);
  };
  return fields(a) == fields(b);
}

Result<std::vector<Span>> DecodeSpans(std::string_view traces_data) {
  std::vector<Span> spans;
  try {
    LARDER_RETURN_IF_ERROR(DecodeRequest(traces_data, &spans));
  } catch (const protozero::exception&) {
    return NotOtlp();
  }
  return spans;
}

}  // namespace larder
