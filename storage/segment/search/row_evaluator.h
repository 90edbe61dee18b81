// Which rows of a block satisfy a filter: templates settle what they can, columns the rest, and
// what is left is looked at row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/search/field_columns.h"
#include "storage/segment/search/leaf_columns.h"
#include "storage/segment/search/search_plan.h"
#include "storage/segment/search/segment_row_view.h"
#include "storage/segment/source/row_mask.h"

namespace larder {

// Not thread-safe: remembers what it has asked once.
class RowEvaluator {
 public:
  // All four must outlive this.
  RowEvaluator(const SegmentColumns& columns, const SegmentTables& tables, const SpanFilter& filter,
               const SearchPlan& plan);

  // The rows of `care` whose span ids are among those that the filter names; all of them when it
  // names none. Needs no Seek.
  Result<RowMask> NamedRows(uint32_t block, const RowMask& care);

  // Goes to a block.
  Status Seek(uint32_t block);
  // The rows of `care` that match, on the block at hand.
  Result<RowMask> Evaluate(const RowMask& care) { return Evaluate(filter_.root(), care); }

 private:
  Result<RowMask> Evaluate(uint32_t step, const RowMask& care);
  Result<RowMask> EvaluateLeaf(uint32_t step, const RowMask& care);
  Result<RowMask> EvaluateRows(uint32_t step, const RowMask& care);
  RowMask EvaluateRanges(uint32_t leaf, const RowMask& care) const;
  FieldColumns* FieldsOf(uint32_t leaf);
  // Splits `care` by the truth of a step for each row's template.
  void Split(uint32_t step, const RowMask& care, RowMask* yes, RowMask* maybe) const;

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const SpanFilter& filter_;
  const SearchPlan& plan_;

  // The block at hand.
  uint32_t block_ = 0;
  std::shared_ptr<const TemplatePage> template_page_;
  std::span<const uint32_t> row_templates_;
  // Of each leaf, once it is needed.
  std::vector<std::optional<LeafColumns>> leaf_columns_;
  std::vector<std::optional<FieldColumns>> field_columns_;
  SegmentRowView rows_;
};

}  // namespace larder
