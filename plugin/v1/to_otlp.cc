#include "plugin/v1/to_otlp.h"

#include <cstring>

#include "plugin/services/requests.h"
#include "plugin/v1/model_fields.h"
#include "plugin/v1/span.h"
#include "plugin/v1/span_status.h"
#include "storage/model/value.h"
#include "storage/model/wire.h"
#include "storage/query/traces/trace_warning.h"

namespace larder::v1 {
namespace {

// Appends attributes as fields of some message; keeps its scratch memory from one to the next.
class AttributeWriter {
 public:
  AttributeWriter(uint32_t field, std::string* out) : field_(field), out_(out) {}

  void Add(std::string_view key, ValueType type, std::string_view payload) {
    key_value_.clear();
    EncodeKeyValue({key, type, payload}, &key_value_);
    wire::AppendBytes(field_, key_value_, out_);
  }
  void Add(const Tag& tag);
  void AddUntaken(const std::vector<Tag>& tags) {
    for (const Tag& tag : tags) {
      if (!tag.is_taken) Add(tag);
    }
  }

 private:
  const uint32_t field_;
  std::string* const out_;
  std::string key_value_;
};

void AttributeWriter::Add(const Tag& tag) {
  char number[8];
  switch (tag.type) {
    case TagType::kString:
      return Add(tag.key, ValueType::kString, tag.text);
    case TagType::kBool:
      number[0] = tag.boolean ? 1 : 0;
      return Add(tag.key, ValueType::kBool, {number, 1});
    case TagType::kInt64:
      std::memcpy(number, &tag.integer, sizeof number);
      return Add(tag.key, ValueType::kInt, {number, sizeof number});
    case TagType::kFloat64:
      std::memcpy(number, &tag.real, sizeof number);
      return Add(tag.key, ValueType::kDouble, {number, sizeof number});
    case TagType::kBinary:
      return Add(tag.key, ValueType::kBytes, tag.binary);
  }
  const std::string type = std::to_string(static_cast<int32_t>(tag.type));
  Add(tag.key, ValueType::kString, "<Unknown Jaeger TagType \"" + type + "\">");
}

std::string ResourceOf(const Process& process) {
  std::string resource;
  AttributeWriter attributes(otlp::resource::kAttributes, &resource);
  if (!process.service_name.empty() && process.service_name != kNoServiceName) {
    attributes.Add(kServiceNameKey, ValueType::kString, process.service_name);
  }
  attributes.AddUntaken(process.tags);
  std::string envelope;
  wire::AppendBytesIfAny(otlp::group::kOwner, resource, &envelope);
  return envelope;
}

// A version without a name stays a tag.
std::string TakeScope(std::vector<Tag>* tags) {
  std::string scope;
  const std::string_view name = TakeText(kScopeNameKey, tags);
  if (!name.empty()) {
    wire::AppendBytes(otlp::scope::kName, name, &scope);
    wire::AppendBytesIfAny(otlp::scope::kVersion, TakeText(kScopeVersionKey, tags), &scope);
  }
  std::string envelope;
  wire::AppendBytesIfAny(otlp::group::kOwner, scope, &envelope);
  return envelope;
}

int32_t TakeKind(std::vector<Tag>* tags) {
  Tag* tag = FindTag(kSpanKindKey, tags);
  if (tag == nullptr || tag->type != TagType::kString || tag->text.empty()) return 0;
  const int32_t kind = KindNumber(tag->text);
  if (kind < 0) return 0;
  tag->is_taken = true;
  return kind;
}

// The first reference into the own trace that is CHILD_OF, else the first that FOLLOWS_FROM
// (jaeger-idl model/v1 Span.ParentSpanID).
SpanId ParentOf(const Span& span) {
  const Reference* follows_from = nullptr;
  for (const Reference& each : span.references) {
    if (each.trace_id != span.trace_id) continue;
    if (each.type == reference::kChildOf) return each.span_id;
    if (each.type == reference::kFollowsFrom && follows_from == nullptr) follows_from = &each;
  }
  return follows_from == nullptr ? SpanId{} : follows_from->span_id;
}

void AppendLink(const Reference& from, std::string* out) {
  std::string link;
  wire::AppendBytes(otlp::link::kTraceId, from.trace_id.view(), &link);
  wire::AppendBytes(otlp::link::kSpanId, from.span_id.view(), &link);
  AttributeWriter(otlp::link::kAttributes, &link)
      .Add(kReferenceTypeKey, ValueType::kString,
           from.type == reference::kChildOf ? kChildOfWord : kFollowsFromWord);
  wire::AppendBytes(otlp::span::kLinks, link, out);
}

void AppendEvent(Log* log, std::string* out) {
  std::string event;
  wire::AppendFixedIfAny(otlp::event::kTime, log->time_ns, &event);
  wire::AppendBytesIfAny(otlp::event::kName, TakeText(kEventKey, &log->fields), &event);
  AttributeWriter(otlp::event::kAttributes, &event).AddUntaken(log->fields);
  wire::AppendBytes(otlp::span::kEvents, event, out);
}

void AppendStatus(const SpanStatus& status, std::string* out) {
  std::string message;
  wire::AppendBytesIfAny(otlp::status::kMessage, status.message, &message);
  wire::AppendVarintIfAny(otlp::status::kCode, static_cast<uint64_t>(status.code), &message);
  wire::AppendBytesIfAny(otlp::span::kStatus, message, out);
}

void AppendWarnings(const std::vector<std::string_view>& warnings, AttributeWriter* attributes) {
  if (warnings.empty()) return;
  std::string array;
  for (const std::string_view warning : warnings) {
    std::string value;
    wire::AppendBytes(otlp::any_value::kString, warning, &value);
    wire::AppendBytes(otlp::list::kValues, value, &array);
  }
  attributes->Add(kWarningsKey, ValueType::kArray, array);
}

// Fields in the order of their numbers. Takes the tags that become fields.
std::string SpanOf(Span* span) {
  std::string out;
  wire::AppendBytes(otlp::span::kTraceId, span->trace_id.view(), &out);
  wire::AppendBytes(otlp::span::kSpanId, span->span_id.view(), &out);
  wire::AppendBytesIfAny(otlp::span::kTraceState, TakeText(kTraceStateKey, &span->tags), &out);
  const SpanId parent = ParentOf(*span);
  if (!parent.is_zero()) wire::AppendBytes(otlp::span::kParentSpanId, parent.view(), &out);
  wire::AppendBytesIfAny(otlp::span::kName, span->operation_name, &out);
  const int32_t kind = TakeKind(&span->tags);
  wire::AppendVarintIfAny(otlp::span::kKind, static_cast<uint64_t>(kind), &out);
  wire::AppendFixedIfAny(otlp::span::kStart, span->start_ns, &out);
  wire::AppendFixedIfAny(otlp::span::kEnd, span->start_ns + span->duration_ns, &out);
  const SpanStatus status = TakeStatus(kind, &span->tags);
  AttributeWriter attributes(otlp::span::kAttributes, &out);
  attributes.AddUntaken(span->tags);
  AppendWarnings(span->warnings, &attributes);
  for (Log& log : span->logs) AppendEvent(&log, &out);
  for (const Reference& each : span->references) {
    const bool is_parent = each.type == reference::kChildOf && each.span_id == parent &&
                           each.trace_id == span->trace_id;
    if (!is_parent) AppendLink(each, &out);
  }
  AppendStatus(status, &out);
  wire::AppendFixedIfAny(otlp::span::kFlags, span->flags & span::kSampled, &out);
  wire::AppendBytesIfAny(kRestInOtlp, span->rest, &out);
  return out;
}

}  // namespace

Result<OtlpSpan> ToOtlp(std::string_view message) {
  LARDER_ASSIGN_OR_RETURN(Span span, ReadSpan(message));
  if (span.trace_id.is_zero()) return Status::InvalidArgument("the trace id is all zero");
  if (span.span_id.is_zero()) return Status::InvalidArgument("the span id is all zero");
  OtlpSpan otlp;
  otlp.resource = ResourceOf(span.process);
  otlp.scope = TakeScope(&span.tags);
  otlp.span = SpanOf(&span);
  return otlp;
}

}  // namespace larder::v1
