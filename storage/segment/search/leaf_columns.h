// Decides one attribute leaf on one block of a segment from its columns, as bits of rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/column_cursor.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/search/leaf_plan.h"
#include "storage/segment/source/row_mask.h"

namespace larder {

// Not thread-safe: remembers what it has asked once.
class LeafColumns {
 public:
  // All four must outlive this. REQUIRES: plan.method is kColumns.
  LeafColumns(const SegmentColumns& columns, const SegmentTables& tables, const FilterLeaf& leaf,
              const LeafPlan& plan);

  // The rows of `care` that satisfy the leaf. `row_templates` are those of the block's rows.
  Result<RowMask> Evaluate(uint32_t block, std::span<const uint32_t> row_templates,
                           const RowMask& care);

 private:
  struct Masks {
    RowMask present;
    RowMask matched;
    void Merge(uint32_t row, LeafState state) {
      if (state.present) present.Add(row);
      if (state.matched) matched.Add(row);
    }
  };
  struct TableCursors {
    std::vector<ColumnCursor> cursors;                      // of the plan's columns
    std::unordered_map<uint64_t, LeafState> overflow_memo;  // by column and code
  };

  Status EvaluateSpans(uint32_t block, std::span<const uint32_t> row_templates, const RowMask& care,
                       Masks* masks);
  // The same where each item has at most one value of one dictionary column.
  Status EvaluateCodes(std::span<const uint32_t> row_templates, Masks* masks);
  Status EvaluateElements(ItemTable table, uint32_t block, const RowMask& care, Masks* masks);
  Status Seek(ItemTable table, uint32_t block);
  // The state of an item of this shape, whose values are consumed.
  Result<LeafState> ItemState(ItemTable table, uint32_t shape, bool wanted);
  Result<LeafState> SlotState(ItemTable table, uint32_t slot, uint32_t ordinal);
  Result<LeafState> OverflowState(ItemTable table, uint32_t slot, uint32_t ordinal);

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const FilterLeaf& leaf_;
  const LeafPlan& plan_;
  std::array<TableCursors, 3> cursors_;
  std::vector<uint8_t>
      has_slot_;  // of each span template; empty where EvaluateCodes cannot be used
  std::vector<uint8_t> code_matches_;  // of each value on the block, and one more
  std::string scratch_;
};

}  // namespace larder
