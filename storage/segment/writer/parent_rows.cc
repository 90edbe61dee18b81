#include "storage/segment/writer/parent_rows.h"

#include <algorithm>
#include <utility>

#include "storage/base/coding.h"

namespace larder {
namespace {

// In a trace of fewer rows than this, looking at each row is quicker than a table.
constexpr uint32_t kScanRowsMax = 48;

class ParentFinder {
 public:
  explicit ParentFinder(SegmentDraft* draft) : draft_(*draft) {
    ids_.reserve(draft_.row_count());
    for (const SpanId& id : draft_.spans.ids) ids_.push_back(LoadFixed64(id.view().data()));
    draft_.spans.parent_rows.assign(draft_.row_count(), kNoRow);
  }

  void Find() {
    for (size_t trace = 0; trace + 1 < draft_.trace_first_rows.size(); ++trace) {
      FindIn(draft_.trace_first_rows[trace], draft_.trace_first_rows[trace + 1]);
    }
  }

 private:
  void FindIn(uint32_t first, uint32_t last) {
    const bool scan = last - first < kScanRowsMax;
    if (!scan) SortIds(first, last);
    for (uint32_t row = first; row < last; ++row) {
      const SpanId& parent = draft_.spans.parent_ids[row];
      if (parent.is_zero()) continue;
      const uint64_t id = LoadFixed64(parent.view().data());
      const uint32_t found = scan ? Scan(id, first, last) : Search(id);
      draft_.spans.parent_rows[row] = found == kNoRow ? kNoRow : SmallestService(found, last);
    }
  }

  // Both find the first row of an id, which is the one that starts first.
  uint32_t Scan(uint64_t id, uint32_t first, uint32_t last) const {
    const auto found = std::find(ids_.begin() + first, ids_.begin() + last, id);
    return found == ids_.begin() + last ? kNoRow : static_cast<uint32_t>(found - ids_.begin());
  }
  uint32_t Search(uint64_t id) const {
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), std::pair(id, 0u));
    return found == sorted_.end() || found->first != id ? kNoRow : found->second;
  }
  void SortIds(uint32_t first, uint32_t last) {
    sorted_.clear();
    for (uint32_t row = first; row < last; ++row) sorted_.emplace_back(ids_[row], row);
    std::sort(sorted_.begin(), sorted_.end());
  }

  // Of the rows that start together with `row` and have its id, the one with the smallest service
  // name. They follow it: rows are ordered by start, then id.
  uint32_t SmallestService(uint32_t row, uint32_t last) const {
    uint32_t best = row;
    for (uint32_t next = row + 1; next < last && ids_[next] == ids_[row] &&
                                  draft_.spans.starts_ns[next] == draft_.spans.starts_ns[row];
         ++next) {
      if (ServiceOf(next) < ServiceOf(best)) best = next;
    }
    return best;
  }
  std::string_view ServiceOf(uint32_t row) const {
    return draft_.table->resource(draft_.resources[draft_.resource_of(row)]).service;
  }

  SegmentDraft& draft_;
  std::vector<uint64_t> ids_;  // of each row
  std::vector<std::pair<uint64_t, uint32_t>> sorted_;
};

}  // namespace

void FindParents(SegmentDraft* draft) { ParentFinder(draft).Find(); }

}  // namespace larder
