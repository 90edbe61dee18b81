// What the same bytes cost without a store, measured in the same run: the rest is ours.
#pragma once

#include <string>

#include "bench/workload.h"

namespace larder::bench {

struct RawLimits {
  double sync_ms = 0;           // one write of 64 KiB and its sync
  double zstd_us_per_span = 0;  // level 3, request by request
  double zstd_bytes_per_span = 0;
  double copy_us_per_span = 0;  // copying the requests once
};

// Takes the first 50,000 spans of a load like the one that was sent. Zeros for what cannot be
// measured.
RawLimits MeasureRawLimits(const TemplateSet& templates, WorkloadOptions load,
                           const std::string& directory);
void PrintRawLimits(const RawLimits& limits);

}  // namespace larder::bench
