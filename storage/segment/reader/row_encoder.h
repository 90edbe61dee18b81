// Puts spans together from their columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/span_fields.h"
#include "storage/segment/reader/columns_reader.h"

namespace larder {

// Made for one walk over rows; cheap when they ascend, since it remembers where it is: going back,
// or on to another block, costs a walk over the templates from the block's first row. Not
// thread-safe.
class RowEncoder {
 public:
  // `columns` must outlive the encoder.
  explicit RowEncoder(const ColumnsReader* columns);
  ~RowEncoder();

  // Replaces `span` by the Span message of a row. REQUIRES: row < row_count().
  Status Encode(uint32_t row, std::string* span);
  // The template of the row encoded last.
  const ItemTemplate& span_template() const { return *span_template_; }

 private:
  // The next value of a column to be read, while a page is open.
  struct Cursor {
    std::shared_ptr<const ColumnPage> page;  // null: not read yet
    uint32_t used = 0;                       // values of the block that earlier items have
    std::shared_ptr<const DictionaryChunk> chunk;
    uint32_t chunk_first = 0;  // code of its first payload
  };
  // The next item of the events or links.
  struct NestedCursor {
    std::shared_ptr<const TemplatePage> templates;
    std::shared_ptr<const ValuePage<uint32_t>> rows;
    uint32_t next = 0;
  };
  struct Piece {
    size_t offset = 0;
    size_t size = 0;
  };

  Status Seek(uint32_t row);
  Status OpenPage(uint32_t page);
  void StartBlock(uint32_t block);
  void SkipItem(const ItemTemplate& item);
  void SkipRow();
  std::pair<uint32_t, uint32_t> NestedItems(NestedCursor* cursor) const;
  Status ReadSpan(uint32_t row_in_page);
  Status ReadEvents();
  Status ReadLinks();
  // Reads the values of an item in slot order: attributes become pieces of key_values_, the three
  // others go where they are asked for.
  struct Others {
    Piece trace_state;
    Piece status_message;
    Piece rest;
  };
  Status ReadSlots(const ItemTemplate& item, ListRange* attributes, Others* others);
  // Appends a value's payload to arena_.
  Status ReadValue(uint32_t column, Piece* piece);
  Status ReadKeyValue(uint32_t column, Piece* piece);
  std::string_view View(Piece piece) const {
    return std::string_view(arena_).substr(piece.offset, piece.size);
  }
  void PointIntoArena();

  const ColumnsReader* const columns_;
  const SegmentTables* tables_ = nullptr;
  uint32_t page_ = UINT32_MAX;
  uint32_t block_ = 0;     // within the page; the cursors stand in it
  uint32_t next_row_ = 0;  // within the page
  std::shared_ptr<const TemplatePage> templates_;
  std::shared_ptr<const ValuePage<uint64_t>> starts_;
  std::shared_ptr<const ValuePage<int64_t>> durations_;
  std::shared_ptr<const ValuePage<SpanId>> span_ids_;
  std::shared_ptr<const ValuePage<SpanId>> parents_;
  std::shared_ptr<const TracePage> traces_;
  std::shared_ptr<const ValuePage<uint64_t>> event_times_;
  std::shared_ptr<const ValuePage<TraceId>> link_trace_ids_;
  std::shared_ptr<const ValuePage<SpanId>> link_span_ids_;
  NestedCursor events_;
  NestedCursor links_;
  std::vector<Cursor> cursors_;  // by column
  const ItemTemplate* span_template_ = nullptr;

  // The span being put together. Its views are set when arena_ does not grow any more.
  SpanFields fields_;
  std::string arena_;
  std::vector<Piece> key_values_;
  Others span_others_;
  std::vector<Others> link_others_;
  std::string payload_;
};

}  // namespace larder
