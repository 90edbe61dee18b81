#include "storage/segment/table/table_row_view.h"

namespace larder {

void TableRowView::AddAttributes(ListRange range) {
  for (const PairId pair : table_.pairs(range)) {
    attributes_.push_back(table_.pair(pair).attribute);
  }
}

const SpanView& TableRowView::Read(const SpanRow& row) {
  attributes_.clear();
  events_.clear();
  links_.clear();
  AddAttributes(row.attributes);
  for (uint32_t i = 0; i < row.events.count; ++i) {
    const EventRow& event = table_.event(row.events.first + i);
    events_.push_back({event.time_ns, table_.string(event.name), {}});
    AddAttributes(event.attributes);
  }
  for (uint32_t i = 0; i < row.links.count; ++i) {
    const LinkRow& link = table_.link(row.links.first + i);
    links_.push_back({link.trace_id, link.span_id, table_.string(link.trace_state), {}});
    AddAttributes(link.attributes);
  }
  // Only now: the vector of attributes has stopped growing.
  std::span<const AttributeView> rest = attributes_;
  const auto take = [&](uint32_t count) {
    const auto list = rest.first(count);
    rest = rest.subspan(count);
    return list;
  };
  const auto own = take(row.attributes.count);
  for (uint32_t i = 0; i < row.events.count; ++i) {
    events_[i].attributes = take(table_.event(row.events.first + i).attributes.count);
  }
  for (uint32_t i = 0; i < row.links.count; ++i) {
    links_[i].attributes = take(table_.link(row.links.first + i).attributes.count);
  }
  resource_ = table_.resource(row.resource);
  scope_ = table_.scope(row.scope);
  view_ = {.trace_id = row.trace_id,
           .span_id = row.span_id,
           .parent_span_id = row.parent_span_id,
           .start_ns = row.start_ns,
           .end_ns = row.end_ns,
           .kind = row.kind,
           .status_code = row.status_code,
           .name = table_.string(row.name),
           .trace_state = table_.string(row.trace_state),
           .status_message = table_.string(row.status_message),
           .attributes = own,
           .resource = &resource_,
           .scope = &scope_,
           .events = events_,
           .links = links_};
  return view_;
}

}  // namespace larder
