#include "storage/query/calls/call_table.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace larder {
namespace {

bool ComesBefore(const MinuteCalls& a, const MinuteCalls& b) {
  return std::tie(a.minute, a.call) < std::tie(b.minute, b.call);
}

}  // namespace

std::vector<MinuteCalls> CallChanges::Sorted() const {
  std::vector<MinuteCalls> sorted;
  sorted.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    if (count != 0) sorted.push_back({key.minute, key.call, count});
  }
  std::sort(sorted.begin(), sorted.end(), ComesBefore);
  return sorted;
}

void CallTable::Apply(const CallChanges& changes) {
  const std::vector<MinuteCalls> added = changes.Sorted();
  std::vector<MinuteCalls> merged;
  merged.reserve(calls_.size() + added.size());
  std::merge(calls_.begin(), calls_.end(), added.begin(), added.end(), std::back_inserter(merged),
             ComesBefore);
  // At most two neighbours are of one minute and call.
  size_t kept = 0;
  for (size_t i = 0; i < merged.size(); ++i) {
    if (i + 1 < merged.size() && !ComesBefore(merged[i], merged[i + 1])) {
      merged[i + 1].count += merged[i].count;
    } else if (merged[i].count != 0) {
      merged[kept++] = merged[i];
    }
  }
  merged.resize(kept);
  merged.shrink_to_fit();
  calls_ = std::move(merged);
}

void CallTable::AddTo(uint64_t first_minute, uint64_t last_minute, CallCounts* counts) const {
  auto next =
      std::lower_bound(calls_.begin(), calls_.end(), MinuteCalls{first_minute, 0, 0}, ComesBefore);
  for (; next != calls_.end() && next->minute <= last_minute; ++next) {
    (*counts)[next->call] += next->count;
  }
}

}  // namespace larder
