// Drafts a segment: orders the rows of a SpanTable, finds their templates and shapes, and
// distributes their values over columns.
#pragma once

#include "storage/model/table/span_table.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// A row is an outlier when its start lies further than this behind its trace's first, or behind the
// segment's last arrival: a clock that is ahead.
inline constexpr uint64_t kOutlierNs = 3'600'000'000'000;
// When more rows than one in this many are ahead of the arrival, it is not their clocks (old data
// is loaded, or ours is wrong): then only the traces' first starts count.
inline constexpr uint32_t kAheadOneIn = 8;

struct DraftOptions {
  bool drop_duplicates = false;
  uint64_t arrival_max_ns = 0;  // 0: not known
};

// Drafts the published rows of `table`, which must outlive the draft. The same table and options
// give the same draft.
SegmentDraft BuildDraft(const SpanTable& table, const DraftOptions& options);

}  // namespace larder
