#include "storage/segment/search/key_order.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "storage/base/check.h"
#include "storage/segment/page/made_pages.h"

namespace larder {
namespace {

// One run in so many is in the sample, ...
constexpr size_t kSampleOneIn = 8;
// ... of which one in so many has to differ from the others.
constexpr size_t kDistinctOneIn = 4;

PageKey FencesKey(SpanSortField field) { return {kMadeKeyFences, static_cast<uint32_t>(field), 0}; }
PageKey SliceKey(SpanSortField field, size_t slice) {
  return {kMadeKeySlice, static_cast<uint32_t>(field), static_cast<uint32_t>(slice)};
}

// Hands every run of the segment to visit(run), in row order.
template <typename Visit>
Status ForEachRun(const SegmentColumns& columns, SpanSortField field, const Visit& visit) {
  const SpanOrder order({{field, false}});
  const uint32_t page_count = (columns.row_count() + kPageRows - 1) / kPageRows;
  SpanKey key;
  for (uint32_t page = 0; page < page_count; ++page) {
    uint32_t row = page * kPageRows;
    if (field == SpanSortField::kTraceId) {
      LARDER_ASSIGN_OR_RETURN(const auto traces, columns.Traces(page));
      for (size_t i = 0; i < traces->ids.size(); ++i) {
        key.trace_id = traces->ids[i];
        const uint32_t row_count = traces->first_rows[i + 1] - traces->first_rows[i];
        visit(KeyRun{order.Rank(key), row, row_count});
        row += row_count;
      }
    } else if (field == SpanSortField::kSpanId) {
      LARDER_ASSIGN_OR_RETURN(const auto ids, columns.SpanIds(page));
      for (const SpanId& id : ids->values) {
        key.span_id = id;
        visit(KeyRun{order.Rank(key), row++, 1});
      }
    } else {
      LARDER_ASSIGN_OR_RETURN(const auto durations, columns.Durations(page));
      for (const int64_t duration_ns : durations->values) {
        key.duration_ns = duration_ns;
        visit(KeyRun{order.Rank(key), row++, 1});
      }
    }
  }
  return Status::Ok();
}

Result<std::vector<uint64_t>> FindFences(const SegmentColumns& columns, SpanSortField field) {
  std::vector<uint64_t> sample;
  size_t number = 0;
  LARDER_RETURN_IF_ERROR(ForEachRun(columns, field, [&](const KeyRun& run) {
    if (number++ % kSampleOneIn == 0) sample.push_back(run.rank);
  }));
  std::sort(sample.begin(), sample.end());
  std::vector<uint64_t> first = {0};
  constexpr size_t kStep = KeyOrder::kSliceRuns / kSampleOneIn;
  for (size_t i = kStep; i < sample.size(); i += kStep) {
    if (sample[i] != first.back()) first.push_back(sample[i]);
  }
  const auto distinct = std::unique(sample.begin(), sample.end()) - sample.begin();
  if (static_cast<size_t>(distinct) * kDistinctOneIn < sample.size()) first.clear();
  return first;
}

}  // namespace

Result<KeyOrder> KeyOrder::Open(const SegmentColumns& columns, SpanSortField field) {
  LARDER_CHECK(field != SpanSortField::kStartTime);
  const auto make = [&]() -> Result<std::shared_ptr<const CachedPage>> {
    auto fences = std::make_shared<Fences>();
    LARDER_ASSIGN_OR_RETURN(fences->first, FindFences(columns, field));
    return std::shared_ptr<const CachedPage>(std::move(fences));
  };
  LARDER_ASSIGN_OR_RETURN(auto fences, columns.Made(FencesKey(field), make));
  return KeyOrder(columns, field, std::static_pointer_cast<const Fences>(std::move(fences)));
}

size_t KeyOrder::SliceOf(uint64_t rank) const {
  const std::vector<uint64_t>& first = fences_->first;
  return static_cast<size_t>(std::upper_bound(first.begin(), first.end(), rank) - first.begin()) -
         1;
}

Result<std::shared_ptr<const KeySlice>> KeyOrder::Slice(size_t slice) const {
  const auto make = [&]() -> Result<std::shared_ptr<const CachedPage>> {
    const bool is_last = slice + 1 == slice_count();
    const uint64_t min = first_rank(slice);
    const uint64_t end = is_last ? 0 : first_rank(slice + 1);
    auto made = std::make_shared<KeySlice>();
    LARDER_RETURN_IF_ERROR(ForEachRun(*columns_, field_, [&](const KeyRun& run) {
      if (run.rank < min || (!is_last && run.rank >= end)) return;
      made->is_wide |= made->runs.size() == kSliceRunsMax;
      if (!made->is_wide) made->runs.push_back(run);
    }));
    if (made->is_wide) made->runs.clear();
    made->runs.shrink_to_fit();
    std::sort(made->runs.begin(), made->runs.end(), [](const KeyRun& a, const KeyRun& b) {
      return std::tie(a.rank, a.first_row) < std::tie(b.rank, b.first_row);
    });
    return std::shared_ptr<const CachedPage>(std::move(made));
  };
  LARDER_ASSIGN_OR_RETURN(auto made, columns_->Made(SliceKey(field_, slice), make));
  return std::static_pointer_cast<const KeySlice>(std::move(made));
}

}  // namespace larder
