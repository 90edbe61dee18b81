#include "storage/segment/search/field_leaf.h"

#include <algorithm>

namespace larder {
namespace {

// Truth of a leaf over values that lie between two bounds, both of which are met.
Truth TruthBetween(const FilterLeaf& leaf, const FilterValue& min, const FilterValue& max) {
  const bool at_min = leaf.matcher.Matches(min);
  const bool at_max = leaf.matcher.Matches(max);
  const bool ordered = leaf.op == FilterOp::kGt || leaf.op == FilterOp::kGte ||
                       leaf.op == FilterOp::kLt || leaf.op == FilterOp::kLte ||
                       leaf.op == FilterOp::kExists;
  Truth truth = Truth::kMaybe;
  // An order that holds at both ends holds between them, and one that holds at neither nowhere.
  if (ordered || min.number == max.number) {
    truth = at_min && at_max ? Truth::kYes : at_min || at_max ? Truth::kMaybe : Truth::kNo;
  }
  return leaf.negated ? Negation(truth) : truth;
}

void SetBlock(uint32_t block, Truth truth, LeafPlan* plan) {
  if (truth == Truth::kNo) plan->value_blocks.Remove(block);
  if (truth == Truth::kYes) plan->certain_blocks.Add(block);
}

}  // namespace

Status PlanDurationLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan) {
  plan->method = LeafPlan::Method::kFields;
  std::vector<DurationBounds> blocks;
  std::vector<DurationBounds> by_template;
  LARDER_RETURN_IF_ERROR(IndexReader(columns).Durations(&blocks, &by_template));
  const auto truth = [&](const DurationBounds& bounds) {
    return TruthBetween(leaf, FilterValue::Duration(bounds.min_ns),
                        FilterValue::Duration(bounds.max_ns));
  };
  for (const DurationBounds& bounds : by_template) plan->truths.push_back(truth(bounds));
  for (uint32_t block = 0; block < blocks.size(); ++block) {
    SetBlock(block, truth(blocks[block]), plan);
  }
  return Status::Ok();
}

Status PlanStartLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan) {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns.Tables());
  plan->method = LeafPlan::Method::kFields;
  plan->truths.assign(tables->templates(ItemTable::kSpans).size(), Truth::kMaybe);
  // The bounds leave outliers out.
  BlockSet unbounded(columns.block_count());
  for (const OutlierRow& outlier : columns.outlier_rows()) unbounded.Add(outlier.row / kBlockRows);
  for (uint32_t block = 0; block < columns.block_count(); ++block) {
    const TimeRange range = columns.block_start_range(block);
    if (range.min_ns > range.max_ns || unbounded.contains(block)) continue;
    SetBlock(block,
             TruthBetween(leaf, FilterValue::Time(range.min_ns), FilterValue::Time(range.max_ns)),
             plan);
  }
  return Status::Ok();
}

Status PlanTraceIdLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan) {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns.Tables());
  plan->truths.assign(tables->templates(ItemTable::kSpans).size(), Truth::kMaybe);
  plan->method = LeafPlan::Method::kFields;
  const auto ids = NamedTraceIds(leaf);
  if (!ids) return Status::Ok();
  plan->method = LeafPlan::Method::kRanges;
  for (const TraceId& id : *ids) {
    RowRange rows;
    LARDER_RETURN_IF_ERROR(columns.RowsOfTrace(id, &rows));
    if (!rows.empty()) plan->ranges.push_back(rows);
  }
  if (plan->ranges.empty()) {
    std::fill(plan->truths.begin(), plan->truths.end(), leaf.negated ? Truth::kYes : Truth::kNo);
  }
  if (leaf.negated) return Status::Ok();
  plan->value_blocks = BlockSet(columns.block_count());
  for (const RowRange& rows : plan->ranges) {
    plan->value_blocks.AddRange(rows.first / kBlockRows, (rows.last - 1) / kBlockRows + 1);
  }
  return Status::Ok();
}

}  // namespace larder
