// Finds the parents of spans within their traces.
#pragma once

#include "storage/segment/writer/segment_draft.h"

namespace larder {

// Fills draft->spans.parent_rows. Everything else of the draft but the pages must be there.
void FindParents(SegmentDraft* draft);

}  // namespace larder
