// What a segment's header says, as plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/query.h"

namespace larder {

// Said by the engine when the segment is written.
struct SegmentIdentity {
  uint64_t segment_id = 0;  // unique for ever within a store
  TenantId tenant = 0;
  std::vector<uint64_t> generations = {};  // journal generations that this segment seals
  std::vector<uint64_t> replaces = {};     // segment ids that it takes the place of (a merge)
  uint64_t arrival_min_ns = 0;             // when its spans came in, wall clock
  uint64_t arrival_max_ns = 0;
};

// Said by the writer.
struct SegmentInfo {
  SegmentIdentity identity;
  uint32_t row_count = 0;
  uint32_t trace_count = 0;
  TimeRange start;  // of its spans
  uint64_t latest_end_ns = 0;
  uint64_t size_bytes = 0;  // all pages
};

}  // namespace larder
