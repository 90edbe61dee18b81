// What Store::Fetch is asked for, and how far it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/model/query.h"

namespace larder {

struct FetchRequest {
  TimeRange start;       // evicted partitions with spans that start in it come back, whole
  uint64_t keep_ms = 0;  // from now on; then the copies go again. 0: those that are here go now
};

struct FetchProgress {
  uint64_t partitions = 0;       // that were asked for
  uint64_t partitions_done = 0;  // of them: whole on the local disk
  uint64_t rows = 0;             // of those, as what stayed here of them says
  uint64_t rows_done = 0;
  uint64_t bytes_expected = 0;  // on the local disk, by what a span takes there now
  uint64_t bytes_done = 0;      // of the copies
  std::vector<std::string> missing =
      {};  // partitions that the tier has not whole, and why; at the end
};

struct FetchWatch {
  // True: the fetch is to end, soon, with kCancelled. May be null; must outlive the call.
  const std::atomic<bool>* cancelled = nullptr;
  // Called on the thread that fetches, whenever spans came from the tier; may be empty.
  std::function<void(const FetchProgress&)> on_progress = {};
};

}  // namespace larder
