#include "storage/segment/table/table_source.h"

#include <algorithm>
#include <utility>

#include "storage/segment/table/table_bounds.h"
#include "storage/segment/table/table_pairs.h"
#include "storage/segment/table/table_search.h"

namespace larder {

class TableSnapshots::Impl {
 public:
  explicit Impl(std::shared_ptr<const SpanTable> table)
      : table_(std::move(table)), bounds_(*table_), pairs_(*table_) {}
  const SpanTable& table() const { return *table_; }
  TableBounds& bounds() { return bounds_; }
  TablePairs& pairs() { return pairs_; }

 private:
  const std::shared_ptr<const SpanTable> table_;
  TableBounds bounds_;
  TablePairs pairs_;
};

namespace {

class TableSource : public SpanSource {
 public:
  // `owner` keeps the others alive.
  TableSource(const SpanTable& table, TableBounds* bounds, TablePairs* pairs,
              std::shared_ptr<const void> owner)
      : owner_(std::move(owner)),
        table_(table),
        bounds_(bounds),
        pairs_(pairs),
        row_count_(table.published_rows()),
        blocks_(bounds->Blocks(row_count_)) {
    for (const BlockBounds& block : *blocks_) total_.Add(block);
  }

  uint32_t row_count() const override { return row_count_; }
  TimeRange start_range() const override { return total_.start; }
  uint64_t latest_end_ns() const override { return total_.latest_end_ns; }

  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const override {
    const size_t before = rows->size();
    table_.FindTrace(trace_id, rows);
    // Ascending: what was published after this snapshot is at the end.
    while (rows->size() > before && rows->back() >= row_count_) rows->pop_back();
    return Status::Ok();
  }

  Status Facts(const std::vector<uint32_t>& rows, std::vector<SpanFacts>* facts) const override {
    for (const uint32_t number : rows) {
      const SpanRow& row = table_.row(number);
      facts->push_back({.row = number,
                        .span_id = row.span_id,
                        .parent_span_id = row.parent_span_id,
                        .start_ns = row.start_ns,
                        .end_ns = row.end_ns,
                        .kind = row.kind,
                        .status_code = row.status_code,
                        .service = table_.resource(row.resource).service,
                        .name = table_.string(row.name)});
    }
    return Status::Ok();
  }

  Status EncodeRows(const std::vector<uint32_t>& rows, RowVisitor* visitor) const override {
    std::string span;
    for (const uint32_t number : rows) {
      const SpanRow& row = table_.row(number);
      span.clear();
      table_.EncodeSpan(number, &span);
      if (!visitor->Visit(number, table_.resource(row.resource).envelope,
                          table_.scope(row.scope).envelope, span)) {
        break;
      }
    }
    return Status::Ok();
  }

  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                              SearchBudget* budget) const override {
    return MakeTableSearch(table_, pairs_, row_count_, blocks_, filter, start, budget);
  }

  Status TraceIds(uint32_t first_row, uint32_t count, std::vector<TraceId>* ids) const override {
    for (uint32_t i = 0; i < count; ++i) ids->push_back(table_.row(first_row + i).trace_id);
    return Status::Ok();
  }

  Status Operations(std::vector<ServiceOperation>* operations) const override {
    bounds_->Operations(row_count_, operations);
    return Status::Ok();
  }

 private:
  const std::shared_ptr<const void> owner_;
  const SpanTable& table_;
  TableBounds* const bounds_;
  TablePairs* const pairs_;
  const uint32_t row_count_;
  const std::shared_ptr<const std::vector<BlockBounds>> blocks_;
  BlockBounds total_;
};

}  // namespace

TableSnapshots::TableSnapshots(std::shared_ptr<const SpanTable> table)
    : impl_(std::make_shared<Impl>(std::move(table))) {}

TableSnapshots::~TableSnapshots() = default;

std::shared_ptr<const SpanSource> TableSnapshots::Take() const {
  return std::make_shared<TableSource>(impl_->table(), &impl_->bounds(), &impl_->pairs(), impl_);
}

std::shared_ptr<const SpanSource> MakeTableSource(std::shared_ptr<const SpanTable> table) {
  return TableSnapshots(std::move(table)).Take();
}

Status FindMatches(const SpanSource& source, const FilterNode& filter, TimeRange start,
                   std::vector<SpanMatch>* matches) {
  LARDER_ASSIGN_OR_RETURN(const auto blocks,
                          source.Search(filter, start, SearchBudget::Unbounded()));
  for (const uint32_t block : blocks->candidate_blocks()) {
    LARDER_RETURN_IF_ERROR(blocks->Match(block, matches));
  }
  return Status::Ok();
}

}  // namespace larder
