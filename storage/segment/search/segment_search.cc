#include "storage/segment/search/segment_search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/model/table/span_filter.h"
#include "storage/segment/search/key_columns.h"
#include "storage/segment/search/row_evaluator.h"
#include "storage/segment/search/row_plan.h"
#include "storage/segment/search/search_plan.h"
#include "storage/segment/search/sorted_rows.h"
#include "storage/segment/source/row_mask.h"

namespace larder {
namespace {

constexpr uint32_t kMissesMax = 1;
// With fewer blocks to look at their columns cost no more than sorted rows do.
constexpr size_t kSortedBlocksMin = 4;

class SegmentSearch : public BlockSearch, private RowDecider {
 public:
  SegmentSearch(const SegmentColumns& columns, const SegmentTables& tables, SpanFilter filter,
                SearchPlan plan, std::unique_ptr<MemoryCharge> memory, TimeRange start)
      : columns_(columns),
        filter_(std::move(filter)),
        plan_(std::move(plan)),
        memory_(std::move(memory)),
        start_(start),
        keys_(columns),
        rows_(columns, tables, filter_, plan_) {}

  const std::vector<uint32_t>& candidate_blocks() const override { return plan_.candidates; }
  uint64_t latest_start_ns(uint32_t block) const override {
    return std::min(plan_.latest_starts[block], start_.max_ns);
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

  // Leaves out the blocks in which no set of rows leaves a row.
  void PlanRows();
  RowMask PossibleRowsOf(uint32_t block) const;
  Result<RowMask> RowsInRange(uint32_t block, const RowMask& care);

  const SegmentColumns& columns_;
  const SpanFilter filter_;
  const SearchPlan plan_;
  const std::unique_ptr<MemoryCharge> memory_;  // of the plan
  const TimeRange start_;
  KeyColumns keys_;
  RowEvaluator rows_;
  BlockSet candidate_set_;  // those of the plan, once there is a cursor

  // Blocks in a row that were visited in vain, until the sets of rows are read.
  uint32_t misses_ = 0;
  bool rows_planned_ = false;
  std::optional<RowSet> possible_rows_;  // no other row matches
};

// Sets of rows cost more than a few blocks and say more than blocks only of several conditions:
// they are read once blocks have turned out to be named for nothing. They spare work and decide
// nothing, so that one that cannot be read is done without: the columns answer as well.
void SegmentSearch::PlanRows() {
  rows_planned_ = true;
  if (filter_.leaves().size() < 2) return;
  Result<std::optional<RowSet>> possible = PossibleRows(columns_, filter_, plan_.leaves);
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
  LARDER_ASSIGN_OR_RETURN(care, rows_.NamedRows(block, care));
  if (care.empty()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(rows_.Seek(block));
  const uint32_t page = block / kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(care, RowsInRange(block, care));
  LARDER_ASSIGN_OR_RETURN(const RowMask found, rows_.Evaluate(care));
  misses_ = found.empty() ? misses_ + 1 : 0;
  if (found.empty()) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(page));
  LARDER_ASSIGN_OR_RETURN(const auto traces, columns_.Traces(page));
  found.ForEach([&](uint32_t row) {
    const uint32_t in_page = block % kPageBlocks * kBlockRows + row;
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
  LARDER_ASSIGN_OR_RETURN(rows, rows_.NamedRows(block, rows));
  return rows.empty() ? Status::Ok() : Decide(block, rows, matches);
}

std::unique_ptr<KeyCursor> SegmentSearch::OpenCursor(const SpanSort& lead, uint64_t from) {
  const bool has_few_blocks = plan_.candidates.size() < kSortedBlocksMin ||
                              plan_.candidates.size() * 2 < columns_.block_count() ||
                              plan_.named_spans;
  if (lead.field == SpanSortField::kStartTime || has_few_blocks) return nullptr;
  // What cannot be read here is named when the blocks are.
  Result<KeyOrder> order = KeyOrder::Open(columns_, lead.field);
  if (!order.ok() || order->is_coarse()) return nullptr;
  if (candidate_set_.block_count() == 0) {
    candidate_set_ = BlockSet(columns_.block_count());
    for (const uint32_t block : plan_.candidates) candidate_set_.Add(block);
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
  LARDER_RETURN_IF_ERROR(rows_.Seek(block));
  LARDER_ASSIGN_OR_RETURN(const RowMask found, rows_.Evaluate(care));
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

}  // namespace

Result<std::unique_ptr<BlockSearch>> MakeSegmentSearch(const SegmentColumns& columns,
                                                       const FilterNode& filter, TimeRange start,
                                                       SearchBudget* budget) {
  LARDER_ASSIGN_OR_RETURN(SpanFilter compiled, SpanFilter::Compile(filter));
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns.Tables());
  auto memory = std::make_unique<MemoryCharge>(budget);
  LARDER_ASSIGN_OR_RETURN(SearchPlan plan,
                          PlanSearch(columns, *tables, compiled, start, *budget, memory.get()));
  return std::unique_ptr<BlockSearch>(std::make_unique<SegmentSearch>(
      columns, *tables, std::move(compiled), std::move(plan), std::move(memory), start));
}

}  // namespace larder
