#include "storage/segment/search/row_evaluator.h"

#include <algorithm>
#include <utility>

namespace larder {

RowEvaluator::RowEvaluator(const SegmentColumns& columns, const SegmentTables& tables,
                           const SpanFilter& filter, const SearchPlan& plan)
    : columns_(columns),
      tables_(tables),
      filter_(filter),
      plan_(plan),
      leaf_columns_(filter.leaves().size()),
      field_columns_(filter.leaves().size()),
      rows_(columns, tables, filter) {}

Status RowEvaluator::Seek(uint32_t block) {
  LARDER_ASSIGN_OR_RETURN(template_page_,
                          columns_.Templates(ItemTable::kSpans, block / kPageBlocks));
  block_ = block;
  row_templates_ = std::span(template_page_->templates)
                       .subspan(block % kPageBlocks * kBlockRows, columns_.block_row_count(block));
  return Status::Ok();
}

void RowEvaluator::Split(uint32_t step, const RowMask& care, RowMask* yes, RowMask* maybe) const {
  const Truth* const truths = plan_.truths[step].data();
  const uint32_t* const templates = row_templates_.data();
  const auto count = static_cast<uint32_t>(row_templates_.size());
  const auto is = [&](Truth truth) {
    return [=](uint32_t row) { return truths[templates[row]] == truth; };
  };
  care.Select(count, is(Truth::kYes), yes);
  care.Select(count, is(Truth::kMaybe), maybe);
}

// The rows of `care` that satisfy a step. Templates settle what they can; what is left shrinks from
// child to child.
Result<RowMask> RowEvaluator::Evaluate(uint32_t number, const RowMask& care) {
  const FilterStep& step = filter_.steps()[number];
  RowMask yes;
  RowMask maybe;
  Split(number, care, &yes, &maybe);
  if (maybe.empty()) return yes;
  switch (step.kind) {
    case FilterStep::Kind::kTrue:
      break;
    case FilterStep::Kind::kAnd:
      for (const uint32_t child : step.children) {
        if (maybe.empty()) break;
        LARDER_ASSIGN_OR_RETURN(maybe, Evaluate(child, maybe));
      }
      yes |= maybe;
      break;
    case FilterStep::Kind::kOr:
      for (const uint32_t child : step.children) {
        if (maybe.empty()) break;
        LARDER_ASSIGN_OR_RETURN(const RowMask found, Evaluate(child, maybe));
        yes |= found;
        maybe.Subtract(found);
      }
      break;
    case FilterStep::Kind::kNot: {
      LARDER_ASSIGN_OR_RETURN(const RowMask found, Evaluate(step.children[0], maybe));
      yes |= maybe.Subtract(found);
      break;
    }
    case FilterStep::Kind::kSome: {
      LARDER_ASSIGN_OR_RETURN(RowMask found, Evaluate(step.whole, maybe));
      if (!step.whole_is_exact) {
        LARDER_ASSIGN_OR_RETURN(found, EvaluateRows(number, found));
      }
      yes |= found;
      break;
    }
    case FilterStep::Kind::kLeaf: {
      LARDER_ASSIGN_OR_RETURN(const RowMask found, EvaluateLeaf(number, maybe));
      yes |= found;
      break;
    }
  }
  return yes;
}

// Before anything else is read of the block: most have none of them.
Result<RowMask> RowEvaluator::NamedRows(uint32_t block, const RowMask& care) {
  if (!plan_.named_spans || care.empty()) return care;
  return FieldsOf(*plan_.named_spans)->Evaluate(block, care);
}

FieldColumns* RowEvaluator::FieldsOf(uint32_t leaf) {
  std::optional<FieldColumns>& fields = field_columns_[leaf];
  if (!fields) fields.emplace(columns_, tables_, filter_.leaves()[leaf]);
  return &*fields;
}

Result<RowMask> RowEvaluator::EvaluateLeaf(uint32_t number, const RowMask& care) {
  const uint32_t leaf = filter_.steps()[number].leaf;
  switch (plan_.leaves[leaf].method) {
    case LeafPlan::Method::kColumns: {
      std::optional<LeafColumns>& columns = leaf_columns_[leaf];
      if (!columns) columns.emplace(columns_, tables_, filter_.leaves()[leaf], plan_.leaves[leaf]);
      LARDER_ASSIGN_OR_RETURN(RowMask found, columns->Evaluate(block_, row_templates_, care));
      return found &= care;
    }
    case LeafPlan::Method::kFields:
      return FieldsOf(leaf)->Evaluate(block_, care);
    case LeafPlan::Method::kRanges:
      return EvaluateRanges(leaf, care);
    case LeafPlan::Method::kRows:
      break;
  }
  return EvaluateRows(number, care);
}

RowMask RowEvaluator::EvaluateRanges(uint32_t leaf, const RowMask& care) const {
  const uint32_t first_row = block_ * kBlockRows;
  const uint32_t row_count = columns_.block_row_count(block_);
  RowMask inside;
  for (const RowRange& range : plan_.leaves[leaf].ranges) {
    const uint32_t first = std::max(range.first, first_row);
    const uint32_t last = std::min(range.last, first_row + row_count);
    for (uint32_t row = first; row < last; ++row) inside.Add(row - first_row);
  }
  RowMask found = care;
  return filter_.leaves()[leaf].negated ? found.Subtract(inside) : found &= inside;
}

Result<RowMask> RowEvaluator::EvaluateRows(uint32_t number, const RowMask& care) {
  LARDER_RETURN_IF_ERROR(rows_.Seek(block_));
  RowMask found;
  Status failure;
  care.ForEach([&](uint32_t row) {
    if (!failure.ok()) return;
    const Result<const SpanView*> span = rows_.Read(row);
    if (!span.ok()) {
      failure = span.status();
    } else if (filter_.Matches(number, **span)) {
      found.Add(row);
    }
  });
  LARDER_RETURN_IF_ERROR(failure);
  return found;
}

}  // namespace larder
