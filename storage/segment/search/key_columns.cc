#include "storage/segment/search/key_columns.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

// Keeps the rows for which holds(row within the page) is true.
template <typename Holds>
void Keep(const SegmentColumns& columns, uint32_t block, const Holds& holds, RowMask* rows) {
  const uint32_t first = block % kPageBlocks * kBlockRows;
  RowMask kept;
  rows->Select(
      columns.block_row_count(block), [&](uint32_t row) { return holds(first + row); }, &kept);
  *rows = kept;
}

// The same for traces: each is asked once, since its rows follow each other.
void KeepTraces(const SegmentColumns& columns, uint32_t block, const TracePage& page,
                const SpanKeyRange& range, RowMask* rows) {
  uint32_t asked = UINT32_MAX;
  bool is_in = false;
  Keep(
      columns, block,
      [&](uint32_t row) {
        const uint32_t trace = page.trace_of_row[row];
        if (trace != asked) {
          asked = trace;
          is_in = range.min.trace_id <= page.ids[trace] && page.ids[trace] <= range.max.trace_id;
        }
        return is_in;
      },
      rows);
}

}  // namespace

void KeyColumns::LoadStarts() {
  for (uint32_t block = 0; block < columns_.block_count(); ++block) {
    starts_.push_back(columns_.block_start_range(block));
  }
  for (const OutlierRow& outlier : columns_.outlier_rows()) {
    TimeRange& start = starts_[outlier.row / kBlockRows];
    start.min_ns = std::min(start.min_ns, outlier.start_ns);
    start.max_ns = std::max(start.max_ns, outlier.start_ns);
  }
}

void KeyColumns::LoadDurations() {
  has_asked_durations_ = true;
  std::vector<DurationBounds> of_templates;
  if (!IndexReader(columns_).Durations(&durations_, &of_templates).ok()) durations_.clear();
}

SpanKeyRange KeyColumns::Bounds(uint32_t block, TimeRange start, SpanSortField lead) {
  if (starts_.empty()) LoadStarts();
  if (lead == SpanSortField::kDuration && !has_asked_durations_) LoadDurations();
  SpanKeyRange range;
  range.min.start_ns = std::max(starts_[block].min_ns, start.min_ns);
  range.max.start_ns = std::min(starts_[block].max_ns, start.max_ns);
  if (!durations_.empty()) {
    range.min.duration_ns = durations_[block].min_ns;
    range.max.duration_ns = durations_[block].max_ns;
  }
  return range;
}

Status KeyColumns::Select(uint32_t block, const SpanKeyRange& range, RowMask* rows) const {
  static const SpanKeyRange kAll;
  const uint32_t page = block / kPageBlocks;
  if (range.min.start_ns != kAll.min.start_ns || range.max.start_ns != kAll.max.start_ns) {
    LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(page));
    const auto holds = [&](uint32_t row) {
      const uint64_t start_ns = starts->values[row];
      return range.min.start_ns <= start_ns && start_ns <= range.max.start_ns;
    };
    Keep(columns_, block, holds, rows);
  }
  if (range.min.duration_ns != kAll.min.duration_ns ||
      range.max.duration_ns != kAll.max.duration_ns) {
    LARDER_ASSIGN_OR_RETURN(const auto durations, columns_.Durations(page));
    const auto holds = [&](uint32_t row) {
      const int64_t duration_ns = durations->values[row];
      return range.min.duration_ns <= duration_ns && duration_ns <= range.max.duration_ns;
    };
    Keep(columns_, block, holds, rows);
  }
  if (range.min.trace_id != kAll.min.trace_id || range.max.trace_id != kAll.max.trace_id) {
    LARDER_ASSIGN_OR_RETURN(const auto traces, columns_.Traces(page));
    KeepTraces(columns_, block, *traces, range, rows);
  }
  if (range.min.span_id != kAll.min.span_id || range.max.span_id != kAll.max.span_id) {
    LARDER_ASSIGN_OR_RETURN(const auto ids, columns_.SpanIds(page));
    const auto holds = [&](uint32_t row) {
      return range.min.span_id <= ids->values[row] && ids->values[row] <= range.max.span_id;
    };
    Keep(columns_, block, holds, rows);
  }
  return Status::Ok();
}

Status KeyColumns::Append(uint32_t block, const RowMask& rows,
                          std::vector<SpanKeyMatch>* matches) const {
  const uint32_t page = block / kPageBlocks;
  const uint32_t first = block % kPageBlocks * kBlockRows;
  LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(page));
  LARDER_ASSIGN_OR_RETURN(const auto durations, columns_.Durations(page));
  LARDER_ASSIGN_OR_RETURN(const auto traces, columns_.Traces(page));
  LARDER_ASSIGN_OR_RETURN(const auto ids, columns_.SpanIds(page));
  rows.ForEach([&](uint32_t row) {
    const uint32_t i = first + row;
    const SpanKey key{starts->values[i], durations->values[i], traces->id_of_row(i),
                      ids->values[i]};
    matches->push_back({key, block * kBlockRows + row});
  });
  return Status::Ok();
}

}  // namespace larder
