#include "storage/segment/search/row_needs.h"

namespace larder {

RowNeeds RowNeeds::Of(const SpanFilter& filter) {
  RowNeeds needs;
  for (const FilterStep& step : filter.steps()) {
    if (step.kind != FilterStep::Kind::kSome) continue;
    (step.element == FilterNode::Element::kEvent ? needs.events : needs.links) = true;
  }
  for (const FilterLeaf& leaf : filter.leaves()) {
    needs.Add(leaf.left);
    if (leaf.other) needs.Add(*leaf.other);
  }
  return needs;
}

void RowNeeds::Add(const Operand& operand) {
  if (const auto* field = std::get_if<FieldRef>(&operand)) return Add(field->field);
  const auto* const attribute = std::get_if<AttributeRef>(&operand);
  if (attribute == nullptr) return;
  const auto add = [&](Level level, ItemTable table) {
    if (!ReadsLevel(attribute->level, level)) return false;
    keys[static_cast<size_t>(table)].insert(attribute->key);
    return true;
  };
  add(Level::kSpan, ItemTable::kSpans);
  events |= add(Level::kEvent, ItemTable::kEvents);
  links |= add(Level::kLink, ItemTable::kLinks);
}

void RowNeeds::Add(Field field) {
  switch (field) {
    case Field::kTraceId:
      trace_ids = true;
      break;
    case Field::kSpanId:
      span_ids = true;
      break;
    case Field::kParentSpanId:
      parent_ids = true;
      break;
    case Field::kTraceState:
      trace_states = true;
      break;
    case Field::kStatusMessage:
      status_messages = true;
      break;
    case Field::kStartTime:
    case Field::kEndTime:
    case Field::kDuration:
      times = true;
      break;
    default:
      times |= field == Field::kEventTimeSinceStart;
      events |= FieldLevel(field) == Level::kEvent;
      links |= FieldLevel(field) == Level::kLink;
      break;
  }
}

bool RowNeeds::wants(const ColumnInfo& column) const {
  const auto& of_table = keys[static_cast<size_t>(column.table)];
  switch (column.role) {
    case ColumnRole::kAttribute:
      return of_table.contains(column.key);
    case ColumnRole::kOverflow:
      return !of_table.empty();
    case ColumnRole::kTraceState:
      return column.table == ItemTable::kLinks ? links : trace_states;
    case ColumnRole::kStatusMessage:
      return status_messages;
    case ColumnRole::kRest:
      break;
  }
  return false;
}

}  // namespace larder
