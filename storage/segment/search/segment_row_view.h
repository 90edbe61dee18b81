// Rows of one block of a segment as SpanViews, for what is evaluated span by span. Only what a
// filter names is read; the rest of a view is empty.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/column_cursor.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/search/row_needs.h"

namespace larder {

// Reused from block to block. Not thread-safe.
class SegmentRowView {
 public:
  // `columns` and `tables` must outlive this; `filter` says what is wanted.
  SegmentRowView(const SegmentColumns& columns, const SegmentTables& tables,
                 const SpanFilter& filter);

  // Goes to a block; does nothing when it is there already.
  Status Seek(uint32_t block);
  // REQUIRES: row is one of the block, counted from its start. Valid until the next call.
  Result<const SpanView*> Read(uint32_t row);

 private:
  struct Value {
    uint32_t cursor = 0;  // number in Items::cursors
    uint32_t ordinal = 0;
  };
  // The items of one table on the block.
  struct Items {
    std::vector<ColumnCursor> cursors;       // of the wanted columns
    std::vector<uint32_t> cursor_of_column;  // by column number; kNone: not wanted
    std::vector<uint32_t> templates;         // of each item
    std::vector<uint32_t> value_starts;      // of each item into `values`, then the count
    std::vector<Value> values;
    std::vector<uint32_t> row_starts;  // of each row its first item (events and links)
    uint32_t first_item = 0;           // of the block, in its page
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  Status SeekItems(ItemTable table, uint32_t block);
  Status SeekRows(ItemTable table, uint32_t block);
  // Reads the attributes of an item onto `attributes_`; texts of other columns go to `trace_state`
  // and `status_message`.
  Status ReadItem(Items* items, uint32_t item, std::string_view* trace_state,
                  std::string_view* status_message);
  Status ReadEvents(uint32_t row);
  Status ReadLinks(uint32_t row);
  std::string* Scratch();

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const RowNeeds needs_;
  std::array<Items, 3> items_;  // by ItemTable
  uint32_t block_ = kNone;
  std::shared_ptr<const ValuePage<uint64_t>> starts_;
  std::shared_ptr<const ValuePage<int64_t>> durations_;
  std::shared_ptr<const ValuePage<SpanId>> span_ids_;
  std::shared_ptr<const ValuePage<SpanId>> parent_ids_;
  std::shared_ptr<const TracePage> traces_;
  std::shared_ptr<const ValuePage<uint64_t>> event_times_;
  std::shared_ptr<const ValuePage<TraceId>> link_trace_ids_;
  std::shared_ptr<const ValuePage<SpanId>> link_span_ids_;

  // Of the row that was read last.
  SpanView view_;
  std::vector<AttributeView> attributes_;
  std::vector<EventView> events_;
  std::vector<LinkView> links_;
  std::vector<size_t> list_ends_;    // of each attribute list in `attributes_`
  std::deque<std::string> scratch_;  // a deque: its strings do not move
  size_t scratch_used_ = 0;
};

}  // namespace larder
