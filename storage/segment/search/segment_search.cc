#include "storage/segment/search/segment_search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/model/table/span_filter.h"
#include "storage/segment/index/index_format.h"
#include "storage/segment/index/index_reader.h"
#include "storage/segment/search/field_columns.h"
#include "storage/segment/search/key_columns.h"
#include "storage/segment/search/leaf_columns.h"
#include "storage/segment/search/leaf_plan.h"
#include "storage/segment/search/row_plan.h"
#include "storage/segment/search/segment_row_view.h"
#include "storage/segment/search/sorted_rows.h"
#include "storage/segment/source/row_mask.h"

namespace larder {
namespace {

constexpr uint32_t kMissesMax = 1;
// With fewer blocks to look at their columns cost no more than sorted rows do.
constexpr size_t kSortedBlocksMin = 4;

bool Overlap(TimeRange a, TimeRange b) { return a.min_ns <= b.max_ns && b.min_ns <= a.max_ns; }

// What is known of a step and the blocks: not swaps the two.
struct BlockTruth {
  BlockSet possible;  // no other block has a row for the step
  BlockSet certain;   // every row of these satisfies it
};

class SegmentSearch : public BlockSearch, private RowDecider {
 public:
  SegmentSearch(const SegmentColumns& columns, const SegmentTables& tables, SpanFilter filter,
                TimeRange start)
      : columns_(columns),
        tables_(tables),
        filter_(std::move(filter)),
        start_(start),
        keys_(columns),
        rows_(columns, tables, filter_) {}

  Status Plan();

  const std::vector<uint32_t>& candidate_blocks() const override { return candidates_; }
  uint64_t latest_start_ns(uint32_t block) const override {
    return std::min(latest_starts_[block], start_.max_ns);
  }
  Status Match(uint32_t block, std::vector<SpanMatch>* matches) override;
  SpanKeyRange KeyBounds(uint32_t block, SpanSortField lead) override {
    return keys_.Bounds(block, start_, lead);
  }
  Status MatchKeys(uint32_t block, const SpanKeyRange& range,
                   std::vector<SpanKeyMatch>* matches) override;
  std::unique_ptr<KeyCursor> OpenCursor(const SpanSort& lead, uint64_t from) override;

 private:
  // Of the rows that a cursor comes to.
  Status Decide(uint32_t block, const RowMask& rows, std::vector<SpanKeyMatch>* matches) override;

  Status PlanLeaves(bool of_trace_ids);
  std::vector<uint32_t> LeavesOfAll() const;
  void FindNamedSpans();
  // The rows of `care` whose span ids are among those that the filter names.
  Result<RowMask> NamedRows(uint32_t block, const RowMask& care);
  bool IsRuledOut() const;
  void PlanTruths();
  uint8_t LongestMin() const;
  Truth StepTruth(const FilterStep& step, uint32_t item) const;
  BlockTruth StepBlocks(uint32_t step) const;
  Result<BlockTruth> LeafBlocks(const LeafPlan& plan) const;
  // Removes the blocks in which nothing starts in the range; notes the latest starts.
  void PlanTimes(BlockSet* blocks);

  // Leaves out the blocks in which no set of rows leaves a row.
  void PlanRows();
  RowMask PossibleRowsOf(uint32_t block) const;
  Status SeekBlock(uint32_t block);
  Result<RowMask> RowsInRange(uint32_t block, const RowMask& care);
  Result<RowMask> Evaluate(uint32_t step, const RowMask& care);
  Result<RowMask> EvaluateLeaf(uint32_t step, const RowMask& care);
  FieldColumns* FieldsOf(uint32_t leaf);
  Result<RowMask> EvaluateRows(uint32_t step, const RowMask& care);
  RowMask EvaluateRanges(uint32_t leaf, const RowMask& care) const;
  // Splits `care` by the truth of a step for each row's template.
  void Split(uint32_t step, const RowMask& care, RowMask* yes, RowMask* maybe) const;

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const SpanFilter filter_;
  const TimeRange start_;
  KeyColumns keys_;

  std::vector<LeafPlan> plans_;             // of each leaf
  std::vector<BlockTruth> leaf_blocks_;     // of each leaf
  std::optional<uint32_t> named_spans_;     // a leaf that names the span ids of all matches
  std::vector<std::vector<Truth>> truths_;  // of each step, of each span template
  std::vector<uint32_t> candidates_;
  BlockSet candidate_set_;               // the same, once there is a cursor
  std::vector<uint64_t> latest_starts_;  // of each block, outliers included

  // Blocks in a row that were visited in vain, until the sets of rows are read.
  uint32_t misses_ = 0;
  bool rows_planned_ = false;
  std::optional<RowSet> possible_rows_;  // no other row matches

  // The block at hand.
  uint32_t block_ = 0;
  uint32_t first_in_page_ = 0;
  std::shared_ptr<const TemplatePage> template_page_;
  std::span<const uint32_t> row_templates_;
  // Of each leaf, once it is needed.
  std::vector<std::optional<LeafColumns>> leaf_columns_;
  std::vector<std::optional<FieldColumns>> field_columns_;
  SegmentRowView rows_;
};

Status SegmentSearch::Plan() {
  leaf_columns_.resize(filter_.leaves().size());
  field_columns_.resize(filter_.leaves().size());
  plans_.resize(filter_.leaves().size());
  // Trace ids first: where none of them is, nothing else is asked.
  LARDER_RETURN_IF_ERROR(PlanLeaves(true));
  if (IsRuledOut()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(PlanLeaves(false));
  FindNamedSpans();
  PlanTruths();
  const std::vector<Truth>& root = truths_[filter_.root()];
  std::vector<uint32_t> possible;
  for (uint32_t item = 0; item < root.size(); ++item) {
    if (root[item] != Truth::kNo) possible.push_back(item);
  }
  if (possible.empty()) return Status::Ok();
  for (const LeafPlan& plan : plans_) {
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
  blocks.ForEach([&](uint32_t block) { candidates_.push_back(block); });
  return Status::Ok();
}

Status SegmentSearch::PlanLeaves(bool of_trace_ids) {
  for (size_t i = 0; i < plans_.size(); ++i) {
    const FilterLeaf& leaf = filter_.leaves()[i];
    const bool of_trace_id =
        !leaf.other && leaf.field() != nullptr && leaf.field()->field == Field::kTraceId;
    if (of_trace_id != of_trace_ids) continue;
    LARDER_ASSIGN_OR_RETURN(plans_[i], PlanLeaf(columns_, leaf));
  }
  return Status::Ok();
}

// The leaves that every match satisfies, as far as the root tells.
std::vector<uint32_t> SegmentSearch::LeavesOfAll() const {
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

bool SegmentSearch::IsRuledOut() const {
  const std::vector<uint32_t> leaves = LeavesOfAll();
  return std::any_of(leaves.begin(), leaves.end(), [&](uint32_t leaf) {
    const LeafPlan& plan = plans_[leaf];
    return plan.method == LeafPlan::Method::kRanges && !filter_.leaves()[leaf].negated &&
           plan.ranges.empty();
  });
}

void SegmentSearch::FindNamedSpans() {
  for (const uint32_t number : LeavesOfAll()) {
    const FilterLeaf& leaf = filter_.leaves()[number];
    if (!leaf.negated && NamedSpanIds(leaf)) named_spans_ = number;
  }
}

// The class of the least duration that a matching span can have.
uint8_t SegmentSearch::LongestMin() const {
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

void SegmentSearch::PlanTruths() {
  const size_t template_count = tables_.templates(ItemTable::kSpans).size();
  for (const FilterStep& step : filter_.steps()) {
    std::vector<Truth> truths(template_count);
    for (uint32_t item = 0; item < template_count; ++item) truths[item] = StepTruth(step, item);
    truths_.push_back(std::move(truths));
  }
}

// Children come before their parents, so their truths are there.
Truth SegmentSearch::StepTruth(const FilterStep& step, uint32_t item) const {
  Truth truth = Truth::kYes;
  switch (step.kind) {
    case FilterStep::Kind::kTrue:
      return Truth::kYes;
    case FilterStep::Kind::kAnd:
      for (const uint32_t child : step.children) truth = std::min(truth, truths_[child][item]);
      return truth;
    case FilterStep::Kind::kOr:
      truth = Truth::kNo;
      for (const uint32_t child : step.children) truth = std::max(truth, truths_[child][item]);
      return truth;
    case FilterStep::Kind::kNot:
      return Negation(truths_[step.children[0]][item]);
    case FilterStep::Kind::kSome: {
      const bool events = step.element == FilterNode::Element::kEvent;
      const ItemTable table = events ? ItemTable::kEvents : ItemTable::kLinks;
      if (tables_.templates(table).empty()) return Truth::kNo;
      truth = truths_[step.whole][item];
      return step.whole_is_exact ? truth : std::min(truth, Truth::kMaybe);
    }
    case FilterStep::Kind::kLeaf:
      break;
  }
  return plans_[step.leaf].truths[item];
}

Result<BlockTruth> SegmentSearch::LeafBlocks(const LeafPlan& plan) const {
  BlockTruth blocks{plan.value_blocks, plan.certain_blocks};
  if (plan.value_blocks.is_full() || plan.certain_templates.empty()) return blocks;
  LARDER_RETURN_IF_ERROR(
      IndexReader(columns_).AddTemplates(plan.certain_templates, 0, &blocks.possible));
  return blocks;
}

// What is not known to be without a row for the step stays possible.
BlockTruth SegmentSearch::StepBlocks(uint32_t number) const {
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

void SegmentSearch::PlanTimes(BlockSet* blocks) {
  latest_starts_.resize(columns_.block_count());
  BlockSet in_range(columns_.block_count());
  for (uint32_t block = 0; block < columns_.block_count(); ++block) {
    const TimeRange range = columns_.block_start_range(block);
    if (range.min_ns > range.max_ns || !Overlap(range, start_)) continue;
    in_range.Add(block);
    latest_starts_[block] = range.max_ns;
  }
  // Outliers are not in the bounds: where one is in range it raises its block's bound.
  for (const OutlierRow& outlier : columns_.outlier_rows()) {
    if (!start_.contains(outlier.start_ns)) continue;
    const uint32_t block = outlier.row / kBlockRows;
    in_range.Add(block);
    latest_starts_[block] = std::max(latest_starts_[block], outlier.start_ns);
  }
  blocks->IntersectWith(in_range);
}

Status SegmentSearch::SeekBlock(uint32_t block) {
  LARDER_ASSIGN_OR_RETURN(template_page_,
                          columns_.Templates(ItemTable::kSpans, block / kPageBlocks));
  block_ = block;
  first_in_page_ = block % kPageBlocks * kBlockRows;
  row_templates_ =
      std::span(template_page_->templates).subspan(first_in_page_, columns_.block_row_count(block));
  return Status::Ok();
}

// Sets of rows cost more than a few blocks and say more than blocks only of several conditions:
// they are read once blocks have turned out to be named for nothing. They spare work and decide
// nothing, so that one that cannot be read is done without: the columns answer as well.
void SegmentSearch::PlanRows() {
  rows_planned_ = true;
  if (filter_.leaves().size() < 2) return;
  Result<std::optional<RowSet>> possible = PossibleRows(columns_, filter_, plans_);
  if (possible.ok()) possible_rows_ = std::move(possible).value();
}

RowMask SegmentSearch::PossibleRowsOf(uint32_t block) const {
  RowMask rows = RowMask::First(columns_.block_row_count(block));
  if (!possible_rows_) return rows;
  RowMask possible;
  const uint32_t first = block * kBlockRows;
  const std::optional<uint32_t> next = possible_rows_->NextFrom(first);
  if (next && *next - first < kBlockRows) possible_rows_->CopyBits(first, possible.words());
  return rows &= possible;
}

Status SegmentSearch::Match(uint32_t block, std::vector<SpanMatch>* matches) {
  if (misses_ == kMissesMax && !rows_planned_) PlanRows();
  RowMask care = PossibleRowsOf(block);
  LARDER_ASSIGN_OR_RETURN(care, NamedRows(block, care));
  if (care.empty()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(SeekBlock(block));
  const uint32_t page = block / kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(care, RowsInRange(block, care));
  LARDER_ASSIGN_OR_RETURN(const RowMask found, Evaluate(filter_.root(), care));
  misses_ = found.empty() ? misses_ + 1 : 0;
  if (found.empty()) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(page));
  LARDER_ASSIGN_OR_RETURN(const auto traces, columns_.Traces(page));
  found.ForEach([&](uint32_t row) {
    const uint32_t in_page = first_in_page_ + row;
    matches->push_back(
        {starts->values[in_page], traces->id_of_row(in_page), block * kBlockRows + row});
  });
  return Status::Ok();
}

Status SegmentSearch::MatchKeys(uint32_t block, const SpanKeyRange& range,
                                std::vector<SpanKeyMatch>* matches) {
  // Keys first: most blocks of a sorted walk have none in range.
  RowMask rows = RowMask::First(columns_.block_row_count(block));
  LARDER_RETURN_IF_ERROR(keys_.Select(block, range, &rows));
  LARDER_ASSIGN_OR_RETURN(rows, NamedRows(block, rows));
  return rows.empty() ? Status::Ok() : Decide(block, rows, matches);
}

std::unique_ptr<KeyCursor> SegmentSearch::OpenCursor(const SpanSort& lead, uint64_t from) {
  const bool has_few_blocks = candidates_.size() < kSortedBlocksMin ||
                              candidates_.size() * 2 < columns_.block_count() || named_spans_;
  if (lead.field == SpanSortField::kStartTime || has_few_blocks) return nullptr;
  // What cannot be read here is named when the blocks are.
  Result<KeyOrder> order = KeyOrder::Open(columns_, lead.field);
  if (!order.ok() || order->is_coarse()) return nullptr;
  if (candidate_set_.block_count() == 0) {
    candidate_set_ = BlockSet(columns_.block_count());
    for (const uint32_t block : candidates_) candidate_set_.Add(block);
  }
  RowDecider* const decider = this;
  auto cursor = std::make_unique<SortedRows>(*order, lead, decider);
  cursor->Seek(from);
  return cursor;
}

Status SegmentSearch::Decide(uint32_t block, const RowMask& rows,
                             std::vector<SpanKeyMatch>* matches) {
  if (candidate_set_.block_count() != 0 && !candidate_set_.contains(block)) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const RowMask care, RowsInRange(block, rows));
  if (care.empty()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(SeekBlock(block));
  LARDER_ASSIGN_OR_RETURN(const RowMask found, Evaluate(filter_.root(), care));
  return found.empty() ? Status::Ok() : keys_.Append(block, found, matches);
}

Result<RowMask> SegmentSearch::RowsInRange(uint32_t block, const RowMask& care) {
  if (start_.min_ns == 0 && start_.max_ns == UINT64_MAX) return care;
  LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(block / kPageBlocks));
  const uint64_t* const values = &starts->values[block % kPageBlocks * kBlockRows];
  RowMask in_range;
  care.Select(
      columns_.block_row_count(block), [&](uint32_t row) { return start_.contains(values[row]); },
      &in_range);
  return in_range;
}

void SegmentSearch::Split(uint32_t step, const RowMask& care, RowMask* yes, RowMask* maybe) const {
  const Truth* const truths = truths_[step].data();
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
Result<RowMask> SegmentSearch::Evaluate(uint32_t number, const RowMask& care) {
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
Result<RowMask> SegmentSearch::NamedRows(uint32_t block, const RowMask& care) {
  if (!named_spans_ || care.empty()) return care;
  return FieldsOf(*named_spans_)->Evaluate(block, care);
}

FieldColumns* SegmentSearch::FieldsOf(uint32_t leaf) {
  std::optional<FieldColumns>& fields = field_columns_[leaf];
  if (!fields) fields.emplace(columns_, tables_, filter_.leaves()[leaf]);
  return &*fields;
}

Result<RowMask> SegmentSearch::EvaluateLeaf(uint32_t number, const RowMask& care) {
  const uint32_t leaf = filter_.steps()[number].leaf;
  switch (plans_[leaf].method) {
    case LeafPlan::Method::kColumns: {
      std::optional<LeafColumns>& columns = leaf_columns_[leaf];
      if (!columns) columns.emplace(columns_, tables_, filter_.leaves()[leaf], plans_[leaf]);
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

RowMask SegmentSearch::EvaluateRanges(uint32_t leaf, const RowMask& care) const {
  const uint32_t first_row = block_ * kBlockRows;
  const uint32_t row_count = columns_.block_row_count(block_);
  RowMask inside;
  for (const RowRange& range : plans_[leaf].ranges) {
    const uint32_t first = std::max(range.first, first_row);
    const uint32_t last = std::min(range.last, first_row + row_count);
    for (uint32_t row = first; row < last; ++row) inside.Add(row - first_row);
  }
  RowMask found = care;
  return filter_.leaves()[leaf].negated ? found.Subtract(inside) : found &= inside;
}

Result<RowMask> SegmentSearch::EvaluateRows(uint32_t number, const RowMask& care) {
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

}  // namespace

Result<std::unique_ptr<BlockSearch>> MakeSegmentSearch(const SegmentColumns& columns,
                                                       const FilterNode& filter, TimeRange start) {
  LARDER_ASSIGN_OR_RETURN(SpanFilter compiled, SpanFilter::Compile(filter));
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns.Tables());
  auto search = std::make_unique<SegmentSearch>(columns, *tables, std::move(compiled), start);
  LARDER_RETURN_IF_ERROR(search->Plan());
  return std::unique_ptr<BlockSearch>(std::move(search));
}

}  // namespace larder
