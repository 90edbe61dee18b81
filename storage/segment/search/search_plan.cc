#include "storage/segment/search/search_plan.h"

#include <algorithm>
#include <utility>

#include "storage/segment/index/index_format.h"
#include "storage/segment/index/index_reader.h"
#include "storage/segment/source/block_set.h"

namespace larder {
namespace {

bool Overlap(TimeRange a, TimeRange b) { return a.min_ns <= b.max_ns && b.min_ns <= a.max_ns; }

// What is known of a step and the blocks: not swaps the two.
struct BlockTruth {
  BlockSet possible;  // no other block has a row for the step
  BlockSet certain;   // every row of these satisfies it
};

class Planner {
 public:
  Planner(const SegmentColumns& columns, const SegmentTables& tables, const SpanFilter& filter,
          TimeRange start, const SearchBudget& budget, MemoryCharge* memory, SearchPlan* plan)
      : columns_(columns),
        tables_(tables),
        filter_(filter),
        start_(start),
        budget_(budget),
        memory_(memory),
        plan_(plan) {}

  Status Plan();

 private:
  Status PlanLeaves(bool of_trace_ids);
  std::vector<uint32_t> LeavesOfAll() const;
  void FindNamedSpans();
  bool IsRuledOut() const;
  Status PlanTruths();
  uint8_t LongestMin() const;
  Truth StepTruth(const FilterStep& step, uint32_t item) const;
  BlockTruth StepBlocks(uint32_t step) const;
  Result<BlockTruth> LeafBlocks(const LeafPlan& plan) const;
  // Removes the blocks in which nothing starts in the range; notes the latest starts.
  void PlanTimes(BlockSet* blocks);

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const SpanFilter& filter_;
  const TimeRange start_;
  const SearchBudget& budget_;
  MemoryCharge* const memory_;
  SearchPlan* const plan_;
  std::vector<BlockTruth> leaf_blocks_;  // of each leaf
};

Status Planner::Plan() {
  plan_->leaves.resize(filter_.leaves().size());
  // Trace ids first: where none of them is, nothing else is asked.
  LARDER_RETURN_IF_ERROR(PlanLeaves(true));
  if (IsRuledOut()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(PlanLeaves(false));
  FindNamedSpans();
  LARDER_RETURN_IF_ERROR(PlanTruths());
  const std::vector<Truth>& root = plan_->truths[filter_.root()];
  std::vector<uint32_t> possible;
  for (uint32_t item = 0; item < root.size(); ++item) {
    if (root[item] != Truth::kNo) possible.push_back(item);
  }
  if (possible.empty()) return Status::Ok();
  for (const LeafPlan& plan : plan_->leaves) {
    LARDER_RETURN_IF_ERROR(budget_.Check());
    LARDER_ASSIGN_OR_RETURN(BlockTruth blocks, LeafBlocks(plan));
    leaf_blocks_.push_back(std::move(blocks));
  }
  BlockSet blocks = StepBlocks(filter_.root()).possible;
  PlanTimes(&blocks);
  // Which templates are possible says more than their leaves one by one, where there are several.
  const uint8_t longest_min = LongestMin();
  const bool several = filter_.steps().size() > 1 && possible.size() < root.size();
  if (!blocks.empty() && (several || longest_min != 0)) {
    BlockSet of_templates(columns_.block_count());
    LARDER_RETURN_IF_ERROR(
        IndexReader(columns_).AddTemplates(possible, longest_min, &of_templates));
    blocks.IntersectWith(of_templates);
  }
  blocks.ForEach([&](uint32_t block) { plan_->candidates.push_back(block); });
  return Status::Ok();
}

Status Planner::PlanLeaves(bool of_trace_ids) {
  for (size_t i = 0; i < plan_->leaves.size(); ++i) {
    const FilterLeaf& leaf = filter_.leaves()[i];
    const bool of_trace_id =
        !leaf.other && leaf.field() != nullptr && leaf.field()->field == Field::kTraceId;
    if (of_trace_id != of_trace_ids) continue;
    LARDER_RETURN_IF_ERROR(budget_.Check());
    LARDER_ASSIGN_OR_RETURN(plan_->leaves[i], PlanLeaf(columns_, leaf));
    LARDER_RETURN_IF_ERROR(memory_->Add(plan_->leaves[i].memory_bytes()));
  }
  return Status::Ok();
}

// The leaves that every match satisfies, as far as the root tells.
std::vector<uint32_t> Planner::LeavesOfAll() const {
  const FilterStep& root = filter_.steps()[filter_.root()];
  if (root.kind == FilterStep::Kind::kLeaf) return {root.leaf};
  std::vector<uint32_t> leaves;
  if (root.kind != FilterStep::Kind::kAnd) return leaves;
  for (const uint32_t child : root.children) {
    const FilterStep& step = filter_.steps()[child];
    if (step.kind == FilterStep::Kind::kLeaf) leaves.push_back(step.leaf);
  }
  return leaves;
}

bool Planner::IsRuledOut() const {
  const std::vector<uint32_t> leaves = LeavesOfAll();
  return std::any_of(leaves.begin(), leaves.end(), [&](uint32_t leaf) {
    const LeafPlan& plan = plan_->leaves[leaf];
    return plan.method == LeafPlan::Method::kRanges && !filter_.leaves()[leaf].negated &&
           plan.ranges.empty();
  });
}

void Planner::FindNamedSpans() {
  for (const uint32_t number : LeavesOfAll()) {
    const FilterLeaf& leaf = filter_.leaves()[number];
    if (!leaf.negated && NamedSpanIds(leaf)) plan_->named_spans = number;
  }
}

// The class of the least duration that a matching span can have.
uint8_t Planner::LongestMin() const {
  uint8_t least = 0;
  for (const uint32_t number : LeavesOfAll()) {
    const FilterLeaf& leaf = filter_.leaves()[number];
    const bool is_duration = leaf.field() != nullptr && leaf.field()->field == Field::kDuration;
    const auto bounds = leaf.matcher.DurationBounds();
    if (is_duration && !leaf.other && !leaf.negated && bounds) {
      least = std::max(least, DurationClass(bounds->first));
    }
  }
  return least;
}

Status Planner::PlanTruths() {
  const size_t template_count = tables_.templates(ItemTable::kSpans).size();
  LARDER_RETURN_IF_ERROR(memory_->Add(filter_.steps().size() * template_count));
  for (const FilterStep& step : filter_.steps()) {
    LARDER_RETURN_IF_ERROR(budget_.Check());
    std::vector<Truth> truths(template_count);
    for (uint32_t item = 0; item < template_count; ++item) truths[item] = StepTruth(step, item);
    plan_->truths.push_back(std::move(truths));
  }
  return Status::Ok();
}

// Children come before their parents, so their truths are there.
Truth Planner::StepTruth(const FilterStep& step, uint32_t item) const {
  Truth truth = Truth::kYes;
  switch (step.kind) {
    case FilterStep::Kind::kTrue:
      return Truth::kYes;
    case FilterStep::Kind::kAnd:
      for (const uint32_t child : step.children)
        truth = std::min(truth, plan_->truths[child][item]);
      return truth;
    case FilterStep::Kind::kOr:
      truth = Truth::kNo;
      for (const uint32_t child : step.children)
        truth = std::max(truth, plan_->truths[child][item]);
      return truth;
    case FilterStep::Kind::kNot:
      return Negation(plan_->truths[step.children[0]][item]);
    case FilterStep::Kind::kSome: {
      const bool events = step.element == FilterNode::Element::kEvent;
      const ItemTable table = events ? ItemTable::kEvents : ItemTable::kLinks;
      if (tables_.templates(table).empty()) return Truth::kNo;
      truth = plan_->truths[step.whole][item];
      return step.whole_is_exact ? truth : std::min(truth, Truth::kMaybe);
    }
    case FilterStep::Kind::kLeaf:
      break;
  }
  return plan_->leaves[step.leaf].truths[item];
}

Result<BlockTruth> Planner::LeafBlocks(const LeafPlan& plan) const {
  BlockTruth blocks{plan.value_blocks, plan.certain_blocks};
  if (plan.value_blocks.is_full() || plan.certain_templates.empty()) return blocks;
  LARDER_RETURN_IF_ERROR(
      IndexReader(columns_).AddTemplates(plan.certain_templates, 0, &blocks.possible));
  return blocks;
}

// What is not known to be without a row for the step stays possible.
BlockTruth Planner::StepBlocks(uint32_t number) const {
  const FilterStep& step = filter_.steps()[number];
  BlockTruth blocks{BlockSet::All(columns_.block_count()), BlockSet(columns_.block_count())};
  switch (step.kind) {
    case FilterStep::Kind::kLeaf:
      return leaf_blocks_[step.leaf];
    case FilterStep::Kind::kTrue:
    case FilterStep::Kind::kAnd:
      blocks.certain.AddAll();
      for (const uint32_t child : step.children) {
        const BlockTruth of_child = StepBlocks(child);
        blocks.possible.IntersectWith(of_child.possible);
        blocks.certain.IntersectWith(of_child.certain);
      }
      return blocks;
    case FilterStep::Kind::kOr:
      blocks.possible = blocks.certain;
      for (const uint32_t child : step.children) {
        const BlockTruth of_child = StepBlocks(child);
        blocks.possible.UnionWith(of_child.possible);
        blocks.certain.UnionWith(of_child.certain);
      }
      return blocks;
    case FilterStep::Kind::kNot:
      blocks = StepBlocks(step.children[0]);
      std::swap(blocks.possible, blocks.certain);
      blocks.possible.Complement();
      blocks.certain.Complement();
      return blocks;
    case FilterStep::Kind::kSome:
      if (step.whole_is_exact) return StepBlocks(step.whole);
      blocks.possible = StepBlocks(step.whole).possible;
      return blocks;
  }
  return blocks;
}

void Planner::PlanTimes(BlockSet* blocks) {
  plan_->latest_starts.resize(columns_.block_count());
  BlockSet in_range(columns_.block_count());
  for (uint32_t block = 0; block < columns_.block_count(); ++block) {
    const TimeRange range = columns_.block_start_range(block);
    if (range.min_ns > range.max_ns || !Overlap(range, start_)) continue;
    in_range.Add(block);
    plan_->latest_starts[block] = range.max_ns;
  }
  // Outliers are not in the bounds: where one is in range it raises its block's bound.
  for (const OutlierRow& outlier : columns_.outlier_rows()) {
    if (!start_.contains(outlier.start_ns)) continue;
    const uint32_t block = outlier.row / kBlockRows;
    in_range.Add(block);
    plan_->latest_starts[block] = std::max(plan_->latest_starts[block], outlier.start_ns);
  }
  blocks->IntersectWith(in_range);
}

}  // namespace

Result<SearchPlan> PlanSearch(const SegmentColumns& columns, const SegmentTables& tables,
                              const SpanFilter& filter, TimeRange start, const SearchBudget& budget,
                              MemoryCharge* memory) {
  SearchPlan plan;
  LARDER_RETURN_IF_ERROR(Planner(columns, tables, filter, start, budget, memory, &plan).Plan());
  return plan;
}

}  // namespace larder
