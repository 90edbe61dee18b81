// Times of one kind of call.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace larder::bench {

class Latencies {
 public:
  void Add(double us) { us_.push_back(us); }
  size_t count() const { return us_.size(); }
  // The time that `share` of the calls did not exceed, in milliseconds; 0 when there were none.
  double PercentileMs(double share) {
    if (us_.empty()) return 0;
    std::sort(us_.begin(), us_.end());
    const auto last = static_cast<double>(us_.size() - 1);
    return us_[static_cast<size_t>(std::lround(share * last))] / 1e3;
  }

 private:
  std::vector<double> us_;
};

}  // namespace larder::bench
