// The rows of long durations, in bands from the median up.
#pragma once

#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

void WriteDurationBands(const SegmentDraft& draft, PageWriter* pages);

}  // namespace larder
