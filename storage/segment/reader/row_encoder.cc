#include "storage/segment/reader/row_encoder.h"

#include <algorithm>

#include "storage/base/coding.h"
#include "storage/segment/format/segment_format.h"

namespace larder {
namespace {

// An id of zeroes is none, and is not written.
template <typename Id>
std::string_view IdView(const Id& id) {
  return id.is_zero() ? std::string_view() : id.view();
}

}  // namespace

RowEncoder::RowEncoder(const ColumnsReader* columns)
    : columns_(columns), cursors_(columns->columns().size()) {}

RowEncoder::~RowEncoder() = default;

Status RowEncoder::Encode(uint32_t row, std::string* span) {
  LARDER_RETURN_IF_ERROR(Seek(row));
  fields_.Clear();
  arena_.clear();
  key_values_.clear();
  link_others_.clear();
  LARDER_RETURN_IF_ERROR(ReadSpan(row % kPageRows));
  LARDER_RETURN_IF_ERROR(ReadEvents());
  LARDER_RETURN_IF_ERROR(ReadLinks());
  ++next_row_;
  PointIntoArena();
  span->clear();
  WriteSpan(fields_, span);
  return Status::Ok();
}

// Stands before `row` with every cursor.
Status RowEncoder::Seek(uint32_t row) {
  if (tables_ == nullptr) {
    LARDER_ASSIGN_OR_RETURN(tables_, columns_->Tables());
  }
  const uint32_t in_page = row % kPageRows;
  if (row / kPageRows != page_) {
    LARDER_RETURN_IF_ERROR(OpenPage(row / kPageRows));
    StartBlock(in_page / kBlockRows);
  } else if (in_page < next_row_ || in_page / kBlockRows != block_) {
    StartBlock(in_page / kBlockRows);
  }
  while (next_row_ < in_page) SkipRow();
  return Status::Ok();
}

Status RowEncoder::OpenPage(uint32_t page) {
  page_ = UINT32_MAX;  // until all of it is there
  LARDER_ASSIGN_OR_RETURN(templates_, columns_->Templates(ItemTable::kSpans, page));
  LARDER_ASSIGN_OR_RETURN(starts_, columns_->Starts(page));
  LARDER_ASSIGN_OR_RETURN(durations_, columns_->Durations(page));
  LARDER_ASSIGN_OR_RETURN(span_ids_, columns_->SpanIds(page));
  LARDER_ASSIGN_OR_RETURN(parents_, columns_->ParentIds(page));
  LARDER_ASSIGN_OR_RETURN(traces_, columns_->Traces(page));
  LARDER_ASSIGN_OR_RETURN(events_.templates, columns_->Templates(ItemTable::kEvents, page));
  LARDER_ASSIGN_OR_RETURN(events_.rows, columns_->ItemRows(ItemTable::kEvents, page));
  LARDER_ASSIGN_OR_RETURN(event_times_, columns_->EventTimes(page));
  LARDER_ASSIGN_OR_RETURN(links_.templates, columns_->Templates(ItemTable::kLinks, page));
  LARDER_ASSIGN_OR_RETURN(links_.rows, columns_->ItemRows(ItemTable::kLinks, page));
  LARDER_ASSIGN_OR_RETURN(link_trace_ids_, columns_->LinkTraceIds(page));
  LARDER_ASSIGN_OR_RETURN(link_span_ids_, columns_->LinkSpanIds(page));
  for (Cursor& cursor : cursors_) cursor.page = nullptr;
  page_ = page;
  return Status::Ok();
}

void RowEncoder::StartBlock(uint32_t block) {
  block_ = block;
  next_row_ = block * kBlockRows;
  for (Cursor& cursor : cursors_) cursor.used = 0;
  events_.next = events_.templates->block_starts[block];
  links_.next = links_.templates->block_starts[block];
}

void RowEncoder::SkipItem(const ItemTemplate& item) {
  for (const uint32_t column : tables_->shape(item.shape)) ++cursors_[column].used;
}

void RowEncoder::SkipRow() {
  SkipItem(tables_->templates(ItemTable::kSpans)[templates_->templates[next_row_]]);
  const auto [first_event, last_event] = NestedItems(&events_);
  for (uint32_t i = first_event; i < last_event; ++i) {
    SkipItem(tables_->templates(ItemTable::kEvents)[events_.templates->templates[i]]);
  }
  const auto [first_link, last_link] = NestedItems(&links_);
  for (uint32_t i = first_link; i < last_link; ++i) {
    SkipItem(tables_->templates(ItemTable::kLinks)[links_.templates->templates[i]]);
  }
  ++next_row_;
}

// The items of the row that comes next; the cursor then stands behind them.
std::pair<uint32_t, uint32_t> RowEncoder::NestedItems(NestedCursor* cursor) const {
  const std::vector<uint32_t>& rows = cursor->rows->values;
  const uint32_t first = cursor->next;
  while (cursor->next < rows.size() && rows[cursor->next] == next_row_) ++cursor->next;
  return {first, cursor->next};
}

Status RowEncoder::ReadSpan(uint32_t row) {
  span_template_ = &tables_->templates(ItemTable::kSpans)[templates_->templates[row]];
  fields_.trace_id = traces_->id_of_row(row).view();
  fields_.span_id = span_ids_->values[row].view();
  fields_.parent_span_id = IdView(parents_->values[row]);
  fields_.name = span_template_->name;
  fields_.kind = span_template_->kind;
  fields_.status_code = span_template_->status_code;
  fields_.flags = span_template_->flags;
  fields_.start_ns = starts_->values[row];
  fields_.end_ns = fields_.start_ns + static_cast<uint64_t>(durations_->values[row]);
  span_others_ = {};
  return ReadSlots(*span_template_, &fields_.attributes, &span_others_);
}

Status RowEncoder::ReadEvents() {
  const auto [first, last] = NestedItems(&events_);
  for (uint32_t i = first; i < last; ++i) {
    const ItemTemplate& item =
        tables_->templates(ItemTable::kEvents)[events_.templates->templates[i]];
    EventFields& event = fields_.events.emplace_back();
    event.time_ns = event_times_->values[i];
    event.name = item.name;
    Others others;
    LARDER_RETURN_IF_ERROR(ReadSlots(item, &event.attributes, &others));
    event.rest = View(others.rest);
  }
  return Status::Ok();
}

Status RowEncoder::ReadLinks() {
  const auto [first, last] = NestedItems(&links_);
  for (uint32_t i = first; i < last; ++i) {
    const ItemTemplate& item =
        tables_->templates(ItemTable::kLinks)[links_.templates->templates[i]];
    LinkFields& link = fields_.links.emplace_back();
    link.trace_id = IdView(link_trace_ids_->values[i]);
    link.span_id = IdView(link_span_ids_->values[i]);
    link.flags = item.flags;
    Others& others = link_others_.emplace_back();
    LARDER_RETURN_IF_ERROR(ReadSlots(item, &link.attributes, &others));
    link.rest = View(others.rest);
  }
  return Status::Ok();
}

Status RowEncoder::ReadSlots(const ItemTemplate& item, ListRange* attributes, Others* others) {
  attributes->first = static_cast<uint32_t>(key_values_.size());
  for (const uint32_t column : tables_->shape(item.shape)) {
    switch (columns_->columns()[column].role) {
      case ColumnRole::kAttribute:
      case ColumnRole::kOverflow:
        LARDER_RETURN_IF_ERROR(ReadKeyValue(column, &key_values_.emplace_back()));
        break;
      case ColumnRole::kTraceState:
        LARDER_RETURN_IF_ERROR(ReadValue(column, &others->trace_state));
        break;
      case ColumnRole::kStatusMessage:
        LARDER_RETURN_IF_ERROR(ReadValue(column, &others->status_message));
        break;
      case ColumnRole::kRest:
        LARDER_RETURN_IF_ERROR(ReadValue(column, &others->rest));
        break;
    }
  }
  attributes->count = static_cast<uint32_t>(key_values_.size()) - attributes->first;
  return Status::Ok();
}

Status RowEncoder::ReadValue(uint32_t column, Piece* piece) {
  const ColumnInfo& info = columns_->columns()[column];
  Cursor& cursor = cursors_[column];
  if (cursor.page == nullptr) {
    LARDER_ASSIGN_OR_RETURN(cursor.page, columns_->Column(column, page_));
  }
  const uint32_t ordinal = cursor.page->block_starts[block_] + cursor.used;
  if (ordinal >= cursor.page->block_starts[block_ + 1]) {
    return columns_->pages().Fault(ColumnPageKey(info.table, column, page_),
                                   "has fewer values than the templates say");
  }
  ++cursor.used;
  piece->offset = arena_.size();
  switch (info.coding) {
    case ColumnCoding::kBytes:
      arena_.append(cursor.page->bytes(ordinal));
      break;
    case ColumnCoding::kNumbers:
      PutFixed64(&arena_, cursor.page->numbers[ordinal]);
      break;
    case ColumnCoding::kDictionary: {
      const uint32_t code = cursor.page->codes[ordinal];
      if (cursor.chunk == nullptr || code - cursor.chunk_first >= cursor.chunk->size()) {
        LARDER_ASSIGN_OR_RETURN(const DictionaryReader* reader,
                                columns_->ReaderOfDictionary(column));
        LARDER_ASSIGN_OR_RETURN(cursor.chunk, reader->ChunkOf(code, &cursor.chunk_first));
      }
      arena_.append(cursor.chunk->payload(code - cursor.chunk_first));
      break;
    }
  }
  piece->size = arena_.size() - piece->offset;
  return Status::Ok();
}

Status RowEncoder::ReadKeyValue(uint32_t column, Piece* piece) {
  const ColumnInfo& info = columns_->columns()[column];
  LARDER_RETURN_IF_ERROR(ReadValue(column, piece));
  if (info.role == ColumnRole::kOverflow) return Status::Ok();
  // The payload gives way to the message made of it.
  payload_.assign(View(*piece));
  arena_.resize(piece->offset);
  EncodeKeyValue({info.key, info.type, payload_}, &arena_);
  piece->size = arena_.size() - piece->offset;
  return Status::Ok();
}

void RowEncoder::PointIntoArena() {
  fields_.trace_state = View(span_others_.trace_state);
  fields_.status_message = View(span_others_.status_message);
  fields_.rest = View(span_others_.rest);
  for (size_t i = 0; i < link_others_.size(); ++i) {
    fields_.links[i].trace_state = View(link_others_[i].trace_state);
  }
  for (const Piece piece : key_values_) fields_.key_values.push_back(View(piece));
}

}  // namespace larder
