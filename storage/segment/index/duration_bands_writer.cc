#include "storage/segment/index/duration_bands_writer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/coding.h"
#include "storage/bitmap/row_set.h"
#include "storage/segment/index/index_format.h"

namespace larder {
namespace {

// The least duration of each band: the median, then the median of what lasts longer.
std::vector<int64_t> LeastOfBands(std::vector<int64_t> durations) {
  std::vector<int64_t> least;
  int64_t floor = *std::min_element(durations.begin(), durations.end());
  for (auto first = durations.begin(); durations.end() - first > kBandRowsMin;) {
    const auto median = first + (durations.end() - first) / 2;
    std::nth_element(first, median, durations.end());
    if (*median > floor) least.push_back(floor = *median);
    first = median;
  }
  return least;
}

}  // namespace

void WriteDurationBands(const SegmentDraft& draft, PageWriter* pages) {
  std::vector<int64_t> durations(draft.row_count());
  for (uint32_t row = 0; row < draft.row_count(); ++row) durations[row] = draft.duration_ns(row);
  std::vector<int64_t> least;
  // A block alone is not worth telling apart.
  if (draft.row_count() > kBlockRows) least = LeastOfBands(durations);
  std::vector<std::vector<uint32_t>> rows(least.size());
  for (uint32_t row = 0; row < draft.row_count(); ++row) {
    const auto above = std::upper_bound(least.begin(), least.end(), durations[row]);
    if (above != least.begin()) rows[static_cast<size_t>(above - least.begin()) - 1].push_back(row);
  }

  std::string body;
  PutVarint(&body, least.size());
  for (size_t i = 0; i < least.size(); ++i) {
    PutVarint(&body, i == 0
                         ? ZigZag(least[0])
                         : static_cast<uint64_t>(least[i]) - static_cast<uint64_t>(least[i - 1]));
  }
  pages->Add(IndexKey(kIndexDurationBands, 0), body);
  for (uint32_t band = 0; band < rows.size(); ++band) {
    body.clear();
    PutRowSet(&body, RowSet::Of(rows[band]), draft.row_count());
    pages->Add(IndexKey(kIndexDurationBands, 1 + band), body);
  }
}

}  // namespace larder
