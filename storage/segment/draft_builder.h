// Drafts a segment: orders the rows of a SpanTable, finds their templates and shapes, and
// distributes their values over columns.
#pragma once

#include "storage/model/span_table.h"
#include "storage/segment/segment_draft.h"

namespace larder {

// A row is an outlier when its start lies further than this behind its trace's first.
inline constexpr uint64_t kOutlierNs = 3'600'000'000'000;

// Drafts the published rows of `table`, which must outlive the draft. The same table gives the same
// draft.
SegmentDraft BuildDraft(const SpanTable& table, bool drop_duplicates);

}  // namespace larder
