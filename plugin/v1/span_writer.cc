#include "plugin/v1/span_writer.h"

#include <algorithm>
#include <cstring>

#include "plugin/services/requests.h"
#include "plugin/v1/model_fields.h"
#include "plugin/v1/span.h"
#include "storage/model/key_value_reader.h"
#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"
#include "storage/query/traces/trace_warning.h"

namespace larder::v1 {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::string_view kCutWarning =
    "the span is larger than its reader takes: long values are cut, and some may be left out";

template <typename Id>
Id IdOrZero(std::string_view bytes) {
  return bytes.size() == Id{}.bytes.size() ? Id::From(bytes) : Id{};
}

void AppendSecondsAndNanos(uint32_t field, int64_t seconds, int64_t nanos, std::string* out) {
  std::string message;
  wire::AppendVarintIfAny(seconds_and_nanos::kSeconds, static_cast<uint64_t>(seconds), &message);
  wire::AppendVarintIfAny(seconds_and_nanos::kNanos, static_cast<uint64_t>(nanos), &message);
  wire::AppendBytes(field, message, out);
}

// The nanoseconds as Go's time.Unix(0, int64(ns)) takes them; those of a Timestamp are never
// negative.
void AppendTime(uint32_t field, uint64_t ns, std::string* out) {
  const auto signed_ns = static_cast<int64_t>(ns);
  int64_t seconds = signed_ns / kNanosPerSecond;
  int64_t nanos = signed_ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  AppendSecondsAndNanos(field, seconds, nanos, out);
}

// What lies between two times, held at the ends of int64 as Go's Time.Sub does.
void AppendDuration(uint32_t field, uint64_t start_ns, uint64_t end_ns, std::string* out) {
  int64_t ns = 0;
  const auto start = static_cast<int64_t>(start_ns);
  if (__builtin_sub_overflow(static_cast<int64_t>(end_ns), start, &ns)) {
    ns = start > 0 ? INT64_MIN : INT64_MAX;
  }
  AppendSecondsAndNanos(field, ns / kNanosPerSecond, ns % kNanosPerSecond, out);
}

// Reads attribute after attribute; a view lives until the next.
class AttributeReader {
 public:
  // False: not well-formed, which no store accepts.
  bool Read(std::string_view key_value) {
    return ReadKeyValue(key_value, kNestingMax, scratch_, &view_) == ValueFault::kNone;
  }
  const AttributeView& view() const { return view_; }

 private:
  AttributeView view_;
  char scratch_[8];
};

uint32_t ReferenceType(const SpanFields& span, const LinkFields& link) {
  AttributeReader attribute;
  for (uint32_t i = 0; i < link.attributes.count; ++i) {
    if (!attribute.Read(span.key_values[link.attributes.first + i])) continue;
    const AttributeView& view = attribute.view();
    if (view.key != kReferenceTypeKey) continue;
    const bool is_child = view.type == ValueType::kString && view.payload == kChildOfWord;
    return is_child ? reference::kChildOf : reference::kFollowsFrom;
  }
  return reference::kFollowsFrom;
}

// The string that an AnyValue holds.
std::string_view TextOf(std::string_view any_value) {
  std::string_view text;
  wire::Reader value(any_value);
  while (value.NextField()) {
    if (value.tag_and_type() == otlp::any_value::kString) {
      text = value.View();
    } else {
      value.skip();
    }
  }
  return text;
}

// Only fields that to_otlp.cc puts there: anybody may send such bytes, and what is no span would
// make Jaeger drop the whole answer.
std::string ReadRest(std::string_view message) {
  std::string rest;
  try {
    wire::Reader reader(message);
    while (reader.NextField()) {
      const uint32_t tag = reader.tag_and_type();
      const std::string_view field = reader.SkipField();
      const bool is_ours = tag == span::kFlags || tag == span::kProcessId || tag >> 3 > span::kLast;
      if (is_ours) rest += field;
    }
  } catch (const protozero::exception&) {
    return {};
  }
  return rest;
}

void AppendRest(std::string_view unknown, std::string* out) {
  wire::Reader reader(unknown);
  while (reader.NextField()) {
    if (reader.tag_and_type() == kRestInOtlp) {
      *out += ReadRest(reader.View());
    } else {
      reader.skip();
    }
  }
}

}  // namespace

void SpanWriter::Add(uint32_t field, const AttributeView& attribute, std::string* to) {
  if (!TakeItem()) return;
  const auto type = [this](TagType number) {
    wire::AppendVarintIfAny(key_value::kType, static_cast<uint64_t>(number), &tag_);
  };
  tag_.clear();
  wire::AppendBytesIfAny(key_value::kKey, Cut(attribute.key), &tag_);
  uint64_t number = 0;
  std::string text;
  switch (attribute.type) {
    case ValueType::kString:
      wire::AppendBytesIfAny(key_value::kString, Cut(attribute.payload), &tag_);
      break;
    case ValueType::kBool:
      type(TagType::kBool);
      wire::AppendVarintIfAny(key_value::kBool, attribute.payload[0] != 0 ? 1 : 0, &tag_);
      break;
    case ValueType::kInt:
      type(TagType::kInt64);
      std::memcpy(&number, attribute.payload.data(), sizeof number);
      wire::AppendVarintIfAny(key_value::kInt64, number, &tag_);
      break;
    case ValueType::kDouble:
      type(TagType::kFloat64);
      std::memcpy(&number, attribute.payload.data(), sizeof number);
      wire::AppendFixedIfAny(key_value::kFloat64, number, &tag_);
      break;
    case ValueType::kBytes:
      type(TagType::kBinary);
      wire::AppendBytesIfAny(key_value::kBinary, Cut(attribute.payload), &tag_);
      break;
    default:
      text = ValueText(attribute.type, attribute.payload);
      wire::AppendBytesIfAny(key_value::kString, Cut(text), &tag_);
  }
  wire::AppendBytes(field, tag_, to);
}

void SpanWriter::AddText(uint32_t field, std::string_view key, std::string_view text,
                         std::string* to) {
  if (!text.empty()) Add(field, {key, ValueType::kString, text}, to);
}

void SpanWriter::WriteProcess(const ResourceFields& resource) {
  AttributeReader attribute;
  bool has_service = false;
  std::string tags;
  for (const std::string_view key_value : resource.key_values) {
    if (!attribute.Read(key_value)) continue;
    const AttributeView& view = attribute.view();
    if (view.key != kServiceNameKey || has_service || view.type != ValueType::kString) {
      Add(process::kTags, view, &tags);
      continue;
    }
    has_service = true;
    wire::AppendBytesIfAny(process::kServiceName, Cut(view.payload), out_);
  }
  if (resource.key_values.empty()) wire::AppendBytes(process::kServiceName, kNoServiceName, out_);
  *out_ += tags;
}

void SpanWriter::WriteReference(const TraceId& trace_id, const SpanId& span_id, uint32_t type) {
  if (!TakeItem()) return;
  std::string message;
  wire::AppendBytes(reference::kTraceId, trace_id.view(), &message);
  wire::AppendBytes(reference::kSpanId, span_id.view(), &message);
  wire::AppendVarintIfAny(reference::kType, type, &message);
  wire::AppendBytes(span::kReferences, message, out_);
}

// The parent first, where storages look for it. A link to the parent says of which type it is.
void SpanWriter::WriteReferences(const SpanFields& span) {
  const auto trace_id = IdOrZero<TraceId>(span.trace_id);
  const auto parent = IdOrZero<SpanId>(span.parent_span_id);
  const auto is_parent = [&](const LinkFields& link) {
    return !parent.is_zero() && IdOrZero<SpanId>(link.span_id) == parent &&
           IdOrZero<TraceId>(link.trace_id) == trace_id;
  };
  uint32_t parent_type = reference::kChildOf;
  for (const LinkFields& link : span.links) {
    if (is_parent(link)) parent_type = ReferenceType(span, link);
  }
  if (!parent.is_zero()) WriteReference(trace_id, parent, parent_type);
  for (const LinkFields& link : span.links) {
    if (is_parent(link)) continue;
    WriteReference(IdOrZero<TraceId>(link.trace_id), IdOrZero<SpanId>(link.span_id),
                   ReferenceType(span, link));
  }
}

void SpanWriter::WriteTags(const SpanFields& span, const ScopeFields& scope) {
  AddText(span::kTags, kScopeNameKey, scope.name, out_);
  AddText(span::kTags, kScopeVersionKey, scope.version, out_);
  AttributeReader attribute;
  for (uint32_t i = 0; i < span.attributes.count; ++i) {
    if (!attribute.Read(span.key_values[span.attributes.first + i])) continue;
    if (attribute.view().key != kWarningsKey) Add(span::kTags, attribute.view(), out_);
  }
  AddText(span::kTags, kSpanKindKey, OperationKindWord(span.kind), out_);
  if (span.status_code == 1) AddText(span::kTags, kStatusCodeKey, kStatusOk, out_);
  if (span.status_code == 2) {
    AddText(span::kTags, kStatusCodeKey, kStatusError, out_);
    static constexpr char kTrue = 1;
    Add(span::kTags, {kErrorKey, ValueType::kBool, {&kTrue, 1}}, out_);
  }
  AddText(span::kTags, kStatusDescriptionKey, span.status_message, out_);
  AddText(span::kTags, kTraceStateKey, span.trace_state, out_);
}

void SpanWriter::WriteLog(const SpanFields& span, const EventFields& event) {
  if (!TakeItem()) return;
  std::string log;
  AppendTime(log::kTime, event.time_ns, &log);
  AddText(log::kFields, kEventKey, event.name, &log);
  AttributeReader attribute;
  for (uint32_t i = 0; i < event.attributes.count; ++i) {
    if (!attribute.Read(span.key_values[event.attributes.first + i])) continue;
    Add(log::kFields, attribute.view(), &log);
  }
  wire::AppendBytes(span::kLogs, log, out_);
}

// An array of strings; what is no string in it is an empty one, and a lone value is one warning.
void SpanWriter::WriteWarning(const AttributeView& attribute) {
  if (attribute.type != ValueType::kArray) {
    const std::string text = ValueText(attribute.type, attribute.payload);
    return wire::AppendBytes(span::kWarnings, Cut(text), out_);
  }
  wire::Reader array(attribute.payload);
  while (array.NextField()) {
    if (array.tag_and_type() != otlp::list::kValues) {
      array.skip();
    } else if (const std::string_view text = TextOf(array.View()); TakeItem()) {
      wire::AppendBytes(span::kWarnings, Cut(text), out_);
    }
  }
}

void SpanWriter::WriteWarnings(const SpanFields& span) {
  AttributeReader attribute;
  for (uint32_t i = 0; i < span.attributes.count; ++i) {
    if (!attribute.Read(span.key_values[span.attributes.first + i])) continue;
    if (attribute.view().key == kWarningsKey) WriteWarning(attribute.view());
  }
  if (!limits_.are_none()) wire::AppendBytes(span::kWarnings, kCutWarning, out_);
}

void SpanWriter::Write(const SpanFields& span, const ScopeFields& scope, std::string_view process) {
  wire::AppendBytes(span::kTraceId, IdOrZero<TraceId>(span.trace_id).view(), out_);
  wire::AppendBytes(span::kSpanId, IdOrZero<SpanId>(span.span_id).view(), out_);
  wire::AppendBytesIfAny(span::kOperationName, Cut(span.name), out_);
  WriteReferences(span);
  wire::AppendVarintIfAny(span::kFlags, span.flags & span::kSampled, out_);
  AppendTime(span::kStartTime, span.start_ns, out_);
  AppendDuration(span::kDuration, span.start_ns, span.end_ns, out_);
  WriteTags(span, scope);
  for (const EventFields& event : span.events) WriteLog(span, event);
  wire::AppendBytes(span::kProcess, process, out_);
  WriteWarnings(span);
  if (limits_.are_none()) AppendRest(span.unknown, out_);
}

}  // namespace larder::v1
