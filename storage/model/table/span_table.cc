#include "storage/model/table/span_table.h"

#include <algorithm>

#include "storage/model/table/span_table_impl.h"

namespace larder {

SpanTable::Impl::Impl() {
  published.strings.store(strings.size(), std::memory_order_release);
  CountMemory();
}

SpanTable::Impl::Mark SpanTable::Impl::Now() const {
  return {
      .rows = rows.size(), .events = events.size(), .links = links.size(), .lists = lists.size()};
}

void SpanTable::Impl::Restore(const Mark& mark) {
  rows.Truncate(mark.rows);
  events.Truncate(mark.events);
  links.Truncate(mark.links);
  lists.Truncate(mark.lists);
}

void SpanTable::Impl::Publish() {
  for (uint32_t i = published_.rows; i < rows.size(); ++i) {
    SpanRow& row = rows.Mutable(i);
    std::atomic<uint32_t>& head = chains_.Head(i, row.trace_id);
    row.next_in_bucket = head.load(std::memory_order_relaxed);
    head.store(i + 1, std::memory_order_release);
  }
  published_ = Now();
  published.pairs.store(pairs.size(), std::memory_order_release);
  published.strings.store(strings.size(), std::memory_order_release);
  published.resources.store(envelopes.resource_count(), std::memory_order_release);
  published.scopes.store(envelopes.scope_count(), std::memory_order_release);
  published.columns.store(pairs.column_count(), std::memory_order_release);
  published.rows.store(rows.size(), std::memory_order_release);
}

void SpanTable::Impl::CountMemory() {
  memory_bytes.store(chains_.memory_bytes() + rows.memory_bytes() + events.memory_bytes() +
                         links.memory_bytes() + lists.memory_bytes() + pairs.memory_bytes() +
                         strings.memory_bytes() + envelopes.memory_bytes(),
                     std::memory_order_relaxed);
}

void SpanTable::Impl::FindTrace(const TraceId& trace_id, std::vector<uint32_t>* found) const {
  const uint32_t end = published.rows.load(std::memory_order_acquire);
  const auto first = static_cast<std::ptrdiff_t>(found->size());
  for (size_t level = TraceChains::kLevels; level-- > 0;) {
    uint32_t next = chains_.First(level, trace_id);
    while (next != 0) {
      const SpanRow& row = rows[next - 1];
      if (next <= end && row.trace_id == trace_id) found->push_back(next - 1);
      next = row.next_in_bucket;
    }
  }
  std::reverse(found->begin() + first, found->end());
}

void SpanTable::Impl::FillAttributes(ListRange range, SpanFields* fields, ListRange* to) const {
  *to = {.first = static_cast<uint32_t>(fields->key_values.size()), .count = range.count};
  for (const PairId id : lists.Run(range.first, range.count)) {
    fields->key_values.push_back(pairs[id].key_value);
  }
}

void SpanTable::Impl::EncodeSpan(uint32_t index, std::string* out) const {
  const auto id_view = [](const auto& id) { return id.is_zero() ? std::string_view() : id.view(); };
  const SpanRow& row = rows[index];
  SpanFields span;
  span.trace_id = row.trace_id.view();
  span.span_id = row.span_id.view();
  span.parent_span_id = id_view(row.parent_span_id);
  span.trace_state = strings[row.trace_state];
  span.name = strings[row.name];
  span.kind = row.kind;
  span.start_ns = row.start_ns;
  span.end_ns = row.end_ns;
  span.status_code = row.status_code;
  span.status_message = strings[row.status_message];
  span.flags = row.flags;
  span.rest = strings[row.rest];
  span.key_values.reserve(row.attributes.count);
  FillAttributes(row.attributes, &span, &span.attributes);
  for (uint32_t i = 0; i < row.events.count; ++i) {
    const EventRow& from = events[row.events.first + i];
    EventFields& event = span.events.emplace_back();
    event.time_ns = from.time_ns;
    event.name = strings[from.name];
    event.rest = strings[from.rest];
    FillAttributes(from.attributes, &span, &event.attributes);
  }
  for (uint32_t i = 0; i < row.links.count; ++i) {
    const LinkRow& from = links[row.links.first + i];
    LinkFields& link = span.links.emplace_back();
    link.trace_id = id_view(from.trace_id);
    link.span_id = id_view(from.span_id);
    link.trace_state = strings[from.trace_state];
    link.flags = from.flags;
    link.rest = strings[from.rest];
    FillAttributes(from.attributes, &span, &link.attributes);
  }
  WriteSpan(span, out);
}

SpanTable::SpanTable() : impl_(std::make_unique<Impl>()) {}
SpanTable::~SpanTable() = default;

Result<AppendResult> SpanTable::Append(std::string_view request, const AppendLimits& limits) {
  return impl_->Append(request, limits);
}
void SpanTable::Publish() { impl_->Publish(); }
void SpanTable::Rollback() { impl_->Rollback(); }
uint64_t SpanTable::memory_bytes() const {
  return impl_->memory_bytes.load(std::memory_order_relaxed);
}

const SpanRow& SpanTable::row(uint32_t row) const { return impl_->rows[row]; }
const EventRow& SpanTable::event(uint32_t event) const { return impl_->events[event]; }
const LinkRow& SpanTable::link(uint32_t link) const { return impl_->links[link]; }
std::span<const PairId> SpanTable::pairs(ListRange range) const {
  return impl_->lists.Run(range.first, range.count);
}
PairView SpanTable::pair(PairId id) const { return impl_->pairs[id]; }
std::string_view SpanTable::string(StringId id) const { return impl_->strings[id]; }
ResourceView SpanTable::resource(ResourceId id) const { return impl_->envelopes.resource(id); }
ScopeView SpanTable::scope(ScopeId id) const { return impl_->envelopes.scope(id); }
ColumnKey SpanTable::column(uint32_t column) const { return impl_->pairs.column(column); }

uint32_t SpanTable::published_rows() const {
  return impl_->published.rows.load(std::memory_order_acquire);
}
uint32_t SpanTable::pair_count() const {
  return impl_->published.pairs.load(std::memory_order_acquire);
}
uint32_t SpanTable::string_count() const {
  return impl_->published.strings.load(std::memory_order_acquire);
}
uint32_t SpanTable::resource_count() const {
  return impl_->published.resources.load(std::memory_order_acquire);
}
uint32_t SpanTable::scope_count() const {
  return impl_->published.scopes.load(std::memory_order_acquire);
}
uint32_t SpanTable::column_count() const {
  return impl_->published.columns.load(std::memory_order_acquire);
}

void SpanTable::FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const {
  impl_->FindTrace(trace_id, rows);
}
void SpanTable::EncodeSpan(uint32_t row, std::string* out) const { impl_->EncodeSpan(row, out); }

}  // namespace larder
