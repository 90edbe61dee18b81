#include "storage/segment/search/sorted_rows.h"

#include <algorithm>

namespace larder {
namespace {

// A step of the walk takes no more runs than these, whatever it is asked.
constexpr size_t kRunsMax = KeyOrder::kSliceRuns;

}  // namespace

void SortedRows::Seek(uint64_t from) {
  number_ = order_.SliceOf(descending_ ? ~from : from);
  Load(from);
}

void SortedRows::Load(uint64_t from) {
  do {
    if (slices_left_ == 0) return Leave();
    --slices_left_;
    // What cannot be read here is named by whoever reads the blocks.
    Result<std::shared_ptr<const KeySlice>> slice = order_.Slice(number_);
    if (!slice.ok() || (*slice)->is_wide) return Leave();
    slice_ = *std::move(slice);
    if (Place(from)) return;
  } while (NextNumber());
}

bool SortedRows::Place(uint64_t from) {
  const std::vector<KeyRun>& runs = slice_->runs;
  const auto behind = std::partition_point(runs.begin(), runs.end(), [&](const KeyRun& run) {
    return descending_ ? RankOf(run) >= from : RankOf(run) < from;
  });
  const auto place = static_cast<size_t>(behind - runs.begin());
  if (descending_ ? place == 0 : place == runs.size()) return false;
  next_ = descending_ ? place - 1 : place;
  return true;
}

bool SortedRows::NextNumber() {
  slice_ = nullptr;
  const bool is_last = descending_ ? number_ == 0 : number_ + 1 == order_.slice_count();
  if (is_last) return false;
  number_ = descending_ ? number_ - 1 : number_ + 1;
  return true;
}

void SortedRows::Leave() {
  slice_ = nullptr;
  if (!descending_) {
    rest_ = order_.first_rank(number_);
    return;
  }
  const bool is_top = number_ + 1 == order_.slice_count();
  // Values below the next slice's first: in the order of the search, what comes behind it.
  rest_ = is_top ? 0 : ~order_.first_rank(number_ + 1) + 1;
}

bool SortedRows::TakeRun() {
  const KeyRun& run = slice_->runs[next_];
  for (uint32_t i = 0; i < run.row_count; ++i) rows_.push_back(run.first_row + i);
  const bool is_last = descending_ ? next_ == 0 : next_ + 1 == slice_->runs.size();
  if (!is_last) {
    next_ = descending_ ? next_ - 1 : next_ + 1;
  } else if (NextNumber()) {
    Load(0);
  }
  return !is_last;
}

Status SortedRows::Next(uint64_t last, size_t runs_min, std::vector<SpanKeyMatch>* matches) {
  rows_.clear();
  for (size_t runs = 0; !is_over() && runs < kRunsMax && (runs < runs_min || rank() <= last);
       ++runs) {
    if (!TakeRun()) break;
  }
  std::sort(rows_.begin(), rows_.end());
  Status failure;
  for (size_t i = 0; i < rows_.size();) {
    const uint32_t block = rows_[i] / kBlockRows;
    RowMask mask;
    for (; i < rows_.size() && rows_[i] / kBlockRows == block; ++i) {
      mask.Add(rows_[i] % kBlockRows);
    }
    const Status decided = decider_->Decide(block, mask, matches);
    if (!decided.ok() && failure.ok()) failure = decided;
  }
  return failure;
}

}  // namespace larder
