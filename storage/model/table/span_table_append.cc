// The writer's side of SpanTable: from the bytes of a request to rows.
#include <algorithm>

#include "storage/model/otlp_fields.h"
#include "storage/model/table/span_table_impl.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// Why a single span cannot be kept, or nothing.
std::string JudgeIds(const SpanFields& span) {
  const auto wrong_size = [](const char* what, size_t size, const char* wanted) {
    return std::string(what) + " has " + std::to_string(size) + " bytes, not " + wanted;
  };
  if (span.trace_id.size() != 16) return wrong_size("trace id", span.trace_id.size(), "16");
  if (TraceId::From(span.trace_id).is_zero()) return "trace id is all zero";
  if (span.span_id.size() != 8) return wrong_size("span id", span.span_id.size(), "8");
  if (SpanId::From(span.span_id).is_zero()) return "span id is all zero";
  if (!span.parent_span_id.empty() && span.parent_span_id.size() != 8) {
    return wrong_size("parent span id", span.parent_span_id.size(), "0 or 8");
  }
  for (const LinkFields& link : span.links) {
    if (!link.trace_id.empty() && link.trace_id.size() != 16) {
      return wrong_size("trace id of a link", link.trace_id.size(), "0 or 16");
    }
    if (!link.span_id.empty() && link.span_id.size() != 8) {
      return wrong_size("span id of a link", link.span_id.size(), "0 or 8");
    }
  }
  return {};
}

std::string FaultReason(PairFault fault, const AppendLimits& limits) {
  if (fault == PairFault::kTooDeep) {
    return "value nested deeper than " + std::to_string(limits.nesting_max);
  }
  return "key or value larger than " + std::to_string(limits.attribute_value_bytes_max) + " bytes";
}

void Reject(const std::string& reason, AppendResult* result) {
  if (result->rejected_spans == 0) {
    const uint32_t position = result->accepted_spans;  // none before it was rejected
    result->first_rejection = "span " + std::to_string(position) + ": " + reason;
  }
  ++result->rejected_spans;
}

Status NotOtlp() { return Status::InvalidArgument("the request is not an OTLP message"); }
Status TableFull() { return Status::ResourceExhausted("the span table is full"); }

// What ends the whole request rather than one span.
Status RequestFault(PairFault fault) {
  if (fault == PairFault::kMalformed) return NotOtlp();
  if (fault == PairFault::kTableFull) return TableFull();
  return Status::Ok();
}

template <typename Id>
Id IdOrZero(std::string_view bytes) {
  return bytes.empty() ? Id{} : Id::From(bytes);
}

}  // namespace

Result<AppendResult> SpanTable::Impl::Append(std::string_view request, const AppendLimits& limits) {
  const Mark before = Now();
  items_left_ = limits.request_items_max;
  BoundGrowth(request.size(), limits);
  AppendResult result;
  Status status;
  try {
    status = AppendRequest(request, limits, &result);
  } catch (const protozero::exception&) {
    status = NotOtlp();
  }
  if (span_.key_values.capacity() > kKeptItemsMax) span_ = {};
  CountMemory();
  if (!status.ok()) {
    Restore(before);
    return status;
  }
  return result;
}

void SpanTable::Impl::BoundGrowth(size_t request_bytes, const AppendLimits& limits) {
  const auto sum = [](uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; };
  const uint64_t held_bytes = memory_bytes.load(std::memory_order_relaxed);
  growth_bytes_max_ = sum(limits.request_growth_bytes_max, 4 * uint64_t{request_bytes});
  memory_bytes_max_ = sum(held_bytes, std::max(growth_bytes_max_, held_bytes));
  envelopes.SetRoom(growth_bytes_max_);
  unmeasured_bytes_ = 0;
  is_outgrown_ = false;
}

void SpanTable::Impl::Grow(size_t bytes) {
  unmeasured_bytes_ += bytes;
  if (unmeasured_bytes_ < kMeasureEveryBytes) return;
  unmeasured_bytes_ = 0;
  CountMemory();
  is_outgrown_ |= memory_bytes.load(std::memory_order_relaxed) > memory_bytes_max_;
}

std::string SpanTable::Impl::OutgrownReason() const {
  return "the request unfolds to more than " + std::to_string(growth_bytes_max_) +
         " bytes; send its spans in several";
}

Status SpanTable::Impl::AppendRequest(std::string_view request, const AppendLimits& limits,
                                      AppendResult* result) {
  ChildReader children(request, otlp::request::kResourceSpans);
  for (std::string_view child; children.Next(&child);) {
    LARDER_RETURN_IF_ERROR(AppendResourceSpans(child, limits, result));
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

Status SpanTable::Impl::AppendResourceSpans(std::string_view message, const AppendLimits& limits,
                                            AppendResult* result) {
  Owner owner;
  const std::string_view envelope = ReadEnvelope(message, &scratch_);
  owner.fault = is_outgrown_ ? PairFault::kTooMuch
                             : envelopes.InternResource(envelope, limits, &owner.resource);
  LARDER_RETURN_IF_ERROR(RequestFault(owner.fault));
  Grow(envelope.size());
  ChildReader children(message, otlp::group::kChildren);
  for (std::string_view child; children.Next(&child);) {
    LARDER_RETURN_IF_ERROR(AppendScopeSpans(child, owner, limits, result));
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

Status SpanTable::Impl::AppendScopeSpans(std::string_view message, Owner owner,
                                         const AppendLimits& limits, AppendResult* result) {
  const std::string_view envelope = ReadEnvelope(message, &scratch_);
  const PairFault scope_fault =
      is_outgrown_ ? PairFault::kTooMuch : envelopes.InternScope(envelope, limits, &owner.scope);
  LARDER_RETURN_IF_ERROR(RequestFault(scope_fault));
  Grow(envelope.size());
  if (owner.fault == PairFault::kNone) owner.fault = scope_fault;
  ChildReader children(message, otlp::group::kChildren);
  for (std::string_view child; children.Next(&child);) {
    const SpanFault fault = ReadSpan(child, &items_left_, &span_);
    if (fault == SpanFault::kMistyped) return NotOtlp();
    if (fault == SpanFault::kTooLarge) {
      Reject("the request has more than " + std::to_string(limits.request_items_max) +
                 " attributes, events and links",
             result);
      continue;
    }
    if (is_outgrown_ || owner.fault == PairFault::kTooMuch) {
      Reject(OutgrownReason(), result);
      continue;
    }
    LARDER_RETURN_IF_ERROR(AppendSpan(owner, limits, result));
    Grow(child.size());
  }
  return children.is_mistyped() ? NotOtlp() : Status::Ok();
}

Status SpanTable::Impl::AppendSpan(const Owner& owner, const AppendLimits& limits,
                                   AppendResult* result) {
  if (owner.fault != PairFault::kNone) {
    Reject("attribute of its resource or scope: " + FaultReason(owner.fault, limits), result);
    return Status::Ok();
  }
  const std::string reason = JudgeIds(span_);
  if (!reason.empty()) {
    Reject(reason, result);
    return Status::Ok();
  }
  if (rows.size() >= kRowsMax) return TableFull();
  const Mark before = Now();
  const PairFault fault = AppendRow(owner, limits);
  if (fault == PairFault::kNone) {
    ++result->accepted_spans;
    return Status::Ok();
  }
  Restore(before);
  LARDER_RETURN_IF_ERROR(RequestFault(fault));
  Reject(faulty_ + FaultReason(fault, limits), result);
  return Status::Ok();
}

PairFault SpanTable::Impl::AppendRow(const Owner& owner, const AppendLimits& limits) {
  SpanRow row;
  row.trace_id = TraceId::From(span_.trace_id);
  row.span_id = SpanId::From(span_.span_id);
  row.parent_span_id = IdOrZero<SpanId>(span_.parent_span_id);
  row.start_ns = span_.start_ns;
  row.end_ns = span_.end_ns;
  row.resource = owner.resource;
  row.scope = owner.scope;
  if (strings.size() + 4 > strings.kSizeMax) return PairFault::kTableFull;
  row.name = strings.Intern(span_.name);
  if (!span_.trace_state.empty()) row.trace_state = strings.Intern(span_.trace_state);
  if (!span_.status_message.empty()) row.status_message = strings.Intern(span_.status_message);
  AppendSpanRest(span_, &span_.rest);
  if (!span_.rest.empty()) row.rest = strings.Intern(span_.rest);
  row.kind = span_.kind;
  row.status_code = span_.status_code;
  row.flags = span_.flags;
  PairFault fault = AppendList(span_.attributes, row.name, limits, &row.attributes);
  if (fault == PairFault::kNone) fault = AppendEvents(limits, &row.events);
  if (fault == PairFault::kNone) fault = AppendLinks(limits, &row.links);
  if (fault == PairFault::kNone) rows.PushBack(row);
  return fault;
}

PairFault SpanTable::Impl::AppendEvents(const AppendLimits& limits, ListRange* range) {
  range->count = static_cast<uint32_t>(span_.events.size());
  if (range->count == 0) return PairFault::kNone;
  if (!events.AllocateRun(range->count, &range->first)) return PairFault::kTableFull;
  for (uint32_t i = 0; i < range->count; ++i) {
    EventFields& from = span_.events[i];
    if (strings.size() + 2 > strings.kSizeMax) return PairFault::kTableFull;
    EventRow& event = events.Mutable(range->first + i);
    event = {.time_ns = from.time_ns, .name = strings.Intern(from.name)};
    AppendEventRest(from, &from.rest);
    if (!from.rest.empty()) event.rest = strings.Intern(from.rest);
    const PairFault fault = AppendList(from.attributes, event.name, limits, &event.attributes);
    if (fault != PairFault::kNone) {
      faulty_ = "event " + std::to_string(i) + ", " + faulty_;
      return fault;
    }
  }
  return PairFault::kNone;
}

PairFault SpanTable::Impl::AppendLinks(const AppendLimits& limits, ListRange* range) {
  range->count = static_cast<uint32_t>(span_.links.size());
  if (range->count == 0) return PairFault::kNone;
  if (!links.AllocateRun(range->count, &range->first)) return PairFault::kTableFull;
  for (uint32_t i = 0; i < range->count; ++i) {
    LinkFields& from = span_.links[i];
    if (strings.size() + 2 > strings.kSizeMax) return PairFault::kTableFull;
    LinkRow& link = links.Mutable(range->first + i);
    link = {.trace_id = IdOrZero<TraceId>(from.trace_id),
            .span_id = IdOrZero<SpanId>(from.span_id),
            .trace_state = strings.Intern(from.trace_state)};
    link.flags = from.flags;
    AppendLinkRest(from, &from.rest);
    if (!from.rest.empty()) link.rest = strings.Intern(from.rest);
    const PairFault fault = AppendList(from.attributes, 0, limits, &link.attributes);
    if (fault != PairFault::kNone) {
      faulty_ = "link " + std::to_string(i) + ", " + faulty_;
      return fault;
    }
  }
  return PairFault::kNone;
}

PairFault SpanTable::Impl::AppendList(ListRange attributes, StringId kind,
                                      const AppendLimits& limits, ListRange* range) {
  range->count = attributes.count;
  if (attributes.count == 0) return PairFault::kNone;
  if (!lists.AllocateRun(attributes.count, &range->first)) return PairFault::kTableFull;
  const std::span<const std::string_view> key_values(&span_.key_values[attributes.first],
                                                     attributes.count);
  uint32_t faulty = 0;
  const PairFault fault =
      pairs.InternList(key_values, kind, limits, &lists.Mutable(range->first), &faulty);
  if (fault != PairFault::kNone) faulty_ = "attribute " + std::to_string(faulty) + ": ";
  return fault;
}

}  // namespace larder
