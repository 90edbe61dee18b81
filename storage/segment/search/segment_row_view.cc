#include "storage/segment/search/segment_row_view.h"

#include <utility>

namespace larder {

SegmentRowView::SegmentRowView(const SegmentColumns& columns, const SegmentTables& tables,
                               const SpanFilter& filter)
    : columns_(columns), tables_(tables), needs_(RowNeeds::Of(filter)) {
  const std::span<const ColumnInfo> infos = columns_.columns();
  for (Items& items : items_) items.cursor_of_column.resize(infos.size(), kNone);
  for (uint32_t number = 0; number < infos.size(); ++number) {
    if (!needs_.wants(infos[number])) continue;
    Items& items = items_[static_cast<size_t>(infos[number].table)];
    items.cursor_of_column[number] = static_cast<uint32_t>(items.cursors.size());
    items.cursors.emplace_back(columns, number);
  }
}

Status SegmentRowView::Seek(uint32_t block) {
  if (block_ == block) return Status::Ok();
  block_ = kNone;  // until all of it has been read
  const uint32_t page = block / kPageBlocks;
  if (needs_.times) {
    LARDER_ASSIGN_OR_RETURN(starts_, columns_.Starts(page));
    LARDER_ASSIGN_OR_RETURN(durations_, columns_.Durations(page));
  }
  if (needs_.span_ids) {
    LARDER_ASSIGN_OR_RETURN(span_ids_, columns_.SpanIds(page));
  }
  if (needs_.parent_ids) {
    LARDER_ASSIGN_OR_RETURN(parent_ids_, columns_.ParentIds(page));
  }
  if (needs_.trace_ids) {
    LARDER_ASSIGN_OR_RETURN(traces_, columns_.Traces(page));
  }
  LARDER_RETURN_IF_ERROR(SeekItems(ItemTable::kSpans, block));
  if (needs_.events && !tables_.templates(ItemTable::kEvents).empty()) {
    LARDER_RETURN_IF_ERROR(SeekItems(ItemTable::kEvents, block));
    LARDER_RETURN_IF_ERROR(SeekRows(ItemTable::kEvents, block));
    LARDER_ASSIGN_OR_RETURN(event_times_, columns_.EventTimes(page));
  }
  if (needs_.links && !tables_.templates(ItemTable::kLinks).empty()) {
    LARDER_RETURN_IF_ERROR(SeekItems(ItemTable::kLinks, block));
    LARDER_RETURN_IF_ERROR(SeekRows(ItemTable::kLinks, block));
    LARDER_ASSIGN_OR_RETURN(link_trace_ids_, columns_.LinkTraceIds(page));
    LARDER_ASSIGN_OR_RETURN(link_span_ids_, columns_.LinkSpanIds(page));
  }
  block_ = block;
  return Status::Ok();
}

Status SegmentRowView::SeekItems(ItemTable table, uint32_t block) {
  Items& items = items_[static_cast<size_t>(table)];
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const TemplatePage> page,
                          columns_.Templates(table, block / kPageBlocks));
  items.first_item = page->block_starts[block % kPageBlocks];
  const uint32_t end = page->block_starts[block % kPageBlocks + 1];
  items.templates.assign(page->templates.begin() + items.first_item, page->templates.begin() + end);
  for (ColumnCursor& cursor : items.cursors) LARDER_RETURN_IF_ERROR(cursor.Seek(block));
  items.values.clear();
  items.value_starts.clear();
  for (const uint32_t number : items.templates) {
    items.value_starts.push_back(static_cast<uint32_t>(items.values.size()));
    for (const uint32_t column : tables_.shape(tables_.templates(table)[number].shape)) {
      const uint32_t cursor = items.cursor_of_column[column];
      if (cursor == kNone) continue;
      Value value{cursor, 0};
      if (!items.cursors[cursor].Next(&value.ordinal)) {
        return items.cursors[cursor].Fault();
      }
      items.values.push_back(value);
    }
  }
  items.value_starts.push_back(static_cast<uint32_t>(items.values.size()));
  return Status::Ok();
}

// Items lie in the order of their rows: where each row's items begin.
Status SegmentRowView::SeekRows(ItemTable table, uint32_t block) {
  Items& items = items_[static_cast<size_t>(table)];
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const ValuePage<uint32_t>> rows,
                          columns_.ItemRows(table, block / kPageBlocks));
  const uint32_t first_row = block % kPageBlocks * kBlockRows;
  items.row_starts.clear();
  for (uint32_t item = 0; item < items.templates.size(); ++item) {
    const uint32_t row = rows->values[items.first_item + item] - first_row;
    while (items.row_starts.size() <= row) items.row_starts.push_back(item);
  }
  items.row_starts.resize(kBlockRows + 1, static_cast<uint32_t>(items.templates.size()));
  return Status::Ok();
}

std::string* SegmentRowView::Scratch() {
  if (scratch_used_ == scratch_.size()) scratch_.emplace_back();
  return &scratch_[scratch_used_++];
}

Status SegmentRowView::ReadItem(Items* items, uint32_t item, std::string_view* trace_state,
                                std::string_view* status_message) {
  for (uint32_t i = items->value_starts[item]; i < items->value_starts[item + 1]; ++i) {
    const Value& value = items->values[i];
    const ColumnCursor& cursor = items->cursors[value.cursor];
    LARDER_ASSIGN_OR_RETURN(const std::string_view payload,
                            cursor.Payload(value.ordinal, Scratch()));
    switch (cursor.info().role) {
      case ColumnRole::kAttribute:
        attributes_.push_back({cursor.info().key, cursor.info().type, payload});
        break;
      case ColumnRole::kOverflow: {
        std::string* number = Scratch();
        number->resize(sizeof(uint64_t));
        LARDER_ASSIGN_OR_RETURN(const AttributeView attribute,
                                InterpretKeyValue(payload, number->data()));
        attributes_.push_back(attribute);
        break;
      }
      case ColumnRole::kTraceState:
        *trace_state = payload;
        break;
      case ColumnRole::kStatusMessage:
        *status_message = payload;
        break;
      case ColumnRole::kRest:
        break;
    }
  }
  list_ends_.push_back(attributes_.size());
  return Status::Ok();
}

Status SegmentRowView::ReadEvents(uint32_t row) {
  Items& items = items_[static_cast<size_t>(ItemTable::kEvents)];
  if (items.row_starts.empty()) return Status::Ok();
  std::string_view ignored;
  for (uint32_t item = items.row_starts[row]; item < items.row_starts[row + 1]; ++item) {
    const std::string_view name = tables_.templates(ItemTable::kEvents)[items.templates[item]].name;
    events_.push_back({event_times_->values[items.first_item + item], name, {}});
    LARDER_RETURN_IF_ERROR(ReadItem(&items, item, &ignored, &ignored));
  }
  return Status::Ok();
}

Status SegmentRowView::ReadLinks(uint32_t row) {
  Items& items = items_[static_cast<size_t>(ItemTable::kLinks)];
  if (items.row_starts.empty()) return Status::Ok();
  std::string_view ignored;
  for (uint32_t item = items.row_starts[row]; item < items.row_starts[row + 1]; ++item) {
    const uint32_t in_page = items.first_item + item;
    LinkView link{link_trace_ids_->values[in_page], link_span_ids_->values[in_page], {}, {}};
    LARDER_RETURN_IF_ERROR(ReadItem(&items, item, &link.trace_state, &ignored));
    links_.push_back(link);
  }
  return Status::Ok();
}

Result<const SpanView*> SegmentRowView::Read(uint32_t row) {
  attributes_.clear();
  events_.clear();
  links_.clear();
  list_ends_.clear();
  scratch_used_ = 0;
  Items& spans = items_[static_cast<size_t>(ItemTable::kSpans)];
  const ItemTemplate& item = tables_.templates(ItemTable::kSpans)[spans.templates[row]];
  const uint32_t in_page = block_ % kPageBlocks * kBlockRows + row;
  view_ = {.trace_id = {},
           .span_id = {},
           .parent_span_id = {},
           .kind = item.kind,
           .status_code = item.status_code,
           .name = item.name,
           .trace_state = {},
           .status_message = {},
           .attributes = {},
           .resource = &tables_.resources()[item.resource],
           .scope = &tables_.scopes()[item.scope],
           .events = {},
           .links = {}};
  if (needs_.trace_ids) view_.trace_id = traces_->id_of_row(in_page);
  if (needs_.span_ids) view_.span_id = span_ids_->values[in_page];
  if (needs_.parent_ids) view_.parent_span_id = parent_ids_->values[in_page];
  if (needs_.times) {
    view_.start_ns = starts_->values[in_page];
    view_.end_ns = view_.start_ns + static_cast<uint64_t>(durations_->values[in_page]);
  }
  LARDER_RETURN_IF_ERROR(ReadItem(&spans, row, &view_.trace_state, &view_.status_message));
  LARDER_RETURN_IF_ERROR(ReadEvents(row));
  LARDER_RETURN_IF_ERROR(ReadLinks(row));
  // Only now: the vector of attributes has stopped growing.
  const std::span<const AttributeView> all = attributes_;
  size_t list = 0;
  size_t begin = 0;
  const auto take = [&] {
    const auto attributes = all.subspan(begin, list_ends_[list] - begin);
    begin = list_ends_[list++];
    return attributes;
  };
  view_.attributes = take();
  for (EventView& event : events_) event.attributes = take();
  for (LinkView& link : links_) link.attributes = take();
  view_.events = events_;
  view_.links = links_;
  return &view_;
}

}  // namespace larder
