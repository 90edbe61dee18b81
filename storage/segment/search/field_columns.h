// Decides one leaf over fields that lie in columns of their own, ids, times and durations of spans,
// names and times of events, ids of links, on one block of a segment, as bits of rows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/row_mask.h"

namespace larder {

// The values that the rows of a page have in one field of spans.
class FieldValues {
 public:
  // Whether spans have this field in a column that every row has.
  static bool Has(Field field);

  // `columns` must outlive this. REQUIRES: Has(field).
  FieldValues(const SegmentColumns& columns, Field field) : columns_(columns), field_(field) {}

  Status Seek(uint32_t page);
  // False when the row (of the page) has no value. The value is valid until the next call.
  bool Read(uint32_t row, FilterValue* value);

 private:
  const SegmentColumns& columns_;
  const Field field_;
  uint32_t page_ = UINT32_MAX;
  std::shared_ptr<const ValuePage<uint64_t>> starts_;
  std::shared_ptr<const ValuePage<int64_t>> durations_;
  std::shared_ptr<const ValuePage<SpanId>> ids_;
  std::shared_ptr<const TracePage> traces_;
  std::array<char, 32> hex_{};
};

// Not thread-safe: remembers what it has asked once.
class FieldColumns {
 public:
  // Whether leaves like this one are decided here.
  static bool Decides(const FilterLeaf& leaf);

  // All three must outlive this. REQUIRES: Decides(leaf).
  FieldColumns(const SegmentColumns& columns, const SegmentTables& tables, const FilterLeaf& leaf);

  // The rows of `care` that satisfy the leaf.
  Result<RowMask> Evaluate(uint32_t block, const RowMask& care);

 private:
  struct Masks {
    RowMask present;
    RowMask matched;
  };

  // Rows in which a span id is one of those that the leaf names.
  Result<RowMask> EvaluateNamed(uint32_t block, const RowMask& care) const;
  Result<RowMask> EvaluateDuration(uint32_t block, const RowMask& care) const;
  Status EvaluateSpans(uint32_t block, const RowMask& care, Masks* masks);
  Status EvaluateEvents(uint32_t block, const RowMask& care, Masks* masks);
  Status EvaluateLinks(uint32_t block, const RowMask& care, Masks* masks);
  // Hands each item of the block whose row is in `care` to visit(item within the page, row).
  template <typename Visit>
  Status ForEachItem(ItemTable table, uint32_t block, const RowMask& care, const Visit& visit);
  void Merge(uint32_t row, LeafState state, Masks* masks) const;

  const SegmentColumns& columns_;
  const FilterLeaf& leaf_;
  std::optional<FieldValues> left_;           // of a field of spans
  std::optional<FieldValues> right_;          // of a leaf over two of them
  std::optional<std::vector<SpanId>> named_;  // sorted
  std::vector<LeafState> event_names_;        // of each event template, for Field::kEventName
};

// What the name of each event template says of a leaf over Field::kEventName.
std::vector<LeafState> EventNameStates(const SegmentTables& tables, const FilterLeaf& leaf);

}  // namespace larder
