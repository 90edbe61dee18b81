#include "storage/engine/upkeep/part_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "storage/engine/shelf/segment_rows.h"
#include "storage/model/filter.h"
#include "storage/query/cold/cold_part.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

constexpr uint32_t kRowsWantedMin = 100;
constexpr uint32_t kRowsWantedFirst = 4000;
constexpr uint32_t kRowsWantedMax = 64'000;
constexpr uint64_t kLastStep = 4;  // of a minute that cannot be parted
constexpr uint64_t kHourNs = 3600ull * 1'000'000'000;

class TableRows : public ColdRows {
 public:
  TableRows(SpanTable* table, uint64_t memory_bytes_max, const PartReader::OnRows& on_rows)
      : table_(table), memory_bytes_max_(memory_bytes_max), on_rows_(on_rows) {}

  Status Add(uint64_t /*segment*/, std::string_view traces_data) override {
    LARDER_ASSIGN_OR_RETURN(const AppendResult added,
                            table_->Append(traces_data, AppendLimits::None()));
    is_too_much_ = table_->memory_bytes() > memory_bytes_max_;
    if (is_too_much_) return Status::ResourceExhausted("more spans than one step takes");
    rows_ += added.accepted_spans;
    if (on_rows_) on_rows_(rows_);
    if (added.rejected_spans == 0) return Status::Ok();
    return Status::DataLoss("the tier returned spans that are none: " + added.first_rejection);
  }
  bool is_too_much() const { return is_too_much_; }

 private:
  SpanTable* const table_;
  const uint64_t memory_bytes_max_;
  const PartReader::OnRows& on_rows_;
  uint64_t rows_ = 0;
  bool is_too_much_ = false;
};

}  // namespace

PartReader::PartReader(ColdTier* tier, const ColdEntry& entry, uint64_t memory_bytes_max)
    : tier_(tier),
      entry_(entry),
      memory_bytes_max_(memory_bytes_max),
      bound_ns_(entry.part->facts().start.max_ns),
      rows_wanted_(kRowsWantedFirst),
      rows_wanted_max_(kRowsWantedMax) {}

Status PartReader::Step(const QueryLimits& limits, const OnRows& on_rows, SpanTable* table) {
  const FilterNode any;
  ColdSearch search;
  search.filter = &any;
  search.start = {entry_.part->facts().start.min_ns, bound_ns_};
  search.rows_wanted = rows_wanted_;
  const bool can_ask_for_less = rows_wanted_ > kRowsWantedMin;
  const auto found = std::make_shared<SpanTable>();
  TableRows rows(found.get(), can_ask_for_less ? memory_bytes_max_ : kLastStep * memory_bytes_max_,
                 on_rows);
  const Result<uint64_t> complete = tier_->Search(entry_.scope, search, limits, &rows);
  const bool is_too_much =
      rows.is_too_much() || complete.status().code() == StatusCode::kDeadlineExceeded;
  if (is_too_much && can_ask_for_less) {
    rows_wanted_ = std::max(rows_wanted_ / 4, kRowsWantedMin);
    rows_wanted_max_ = rows_wanted_;
    return Status::Ok();
  }
  if (is_too_much) {
    return Status(
        StatusCode::kOutOfRange,
        "the spans of one minute are more than a fetch can hold (raise memory.max) or than "
        "the tier returns in ten minutes");
  }
  if (!complete.ok()) return complete.status();
  found->Publish();
  return Advance(found, std::max(*complete, search.start.min_ns), table);
}

Status PartReader::Advance(const std::shared_ptr<const SpanTable>& found, uint64_t complete_ns,
                           SpanTable* table) {
  if (complete_ns > bound_ns_) {
    if (rows_wanted_ == UINT32_MAX) return Status::Unavailable("the tier answers nothing whole");
    rows_wanted_ = rows_wanted_ > UINT32_MAX / 2 ? UINT32_MAX : 2 * rows_wanted_;
    return Status::Ok();
  }
  LARDER_RETURN_IF_ERROR(Take(found, {complete_ns, bound_ns_}, table));
  is_done_ = complete_ns == entry_.part->facts().start.min_ns;
  if (!is_done_) bound_ns_ = complete_ns - 1;
  const uint64_t target_bytes = memory_bytes_max_ / 4;
  if (found->memory_bytes() < target_bytes / 2) rows_wanted_ *= 2;
  if (found->memory_bytes() > target_bytes) rows_wanted_ /= 2;
  rows_wanted_ = std::clamp(rows_wanted_, kRowsWantedMin, rows_wanted_max_);
  return Status::Ok();
}

Status PartReader::Take(const std::shared_ptr<const SpanTable>& found, TimeRange stretch,
                        SpanTable* table) {
  const FilterNode any;
  const auto source = MakeTableSource(found);
  std::vector<SpanMatch> matches;
  LARDER_RETURN_IF_ERROR(FindMatches(*source, any, stretch, &matches));
  std::vector<uint32_t> wanted;
  for (const SpanMatch& match : matches) {
    wanted.push_back(match.row);
    ++hours_[match.start_ns / kHourNs];
  }
  rows_ += wanted.size();
  return CopyRows(*source, wanted, table);
}

// Spans that were equal when they were uploaded are so many rows of the part, and one row here. So
// there may be fewer distinct ones than rows; but not fewer rows, in any hour.
Status PartReader::Check(uint64_t distinct_rows) const {
  const ColdFacts& facts = entry_.part->facts();
  if (distinct_rows > facts.rows) {
    return Status::DataLoss("the tier has " + std::to_string(distinct_rows) + " spans where " +
                            std::to_string(facts.rows) + " were uploaded");
  }
  for (const ColdHour& hour : facts.hours) {
    const auto read = hours_.find(hour.hour);
    if (read != hours_.end() && read->second >= hour.rows) continue;
    return Status::DataLoss("the tier returned " + std::to_string(rows_) + " of " +
                            std::to_string(facts.rows) + " spans");
  }
  return Status::Ok();
}

}  // namespace larder
