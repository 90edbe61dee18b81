// Writes the index section of a segment: which blocks hold a value, a template, a duration.
#pragma once

#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// Adds the pages of Section::kIndex. The same draft gives the same bytes.
// REQUIRES: draft.row_count() > 0; block_starts of columns and item tables are filled in.
void WriteIndex(const SegmentDraft& draft, PageWriter* pages);

}  // namespace larder
