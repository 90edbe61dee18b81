// The sections of a segment, written from its draft: one function per section, FORMAT.md tells
// their bytes.
#pragma once

#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// kTraces and kFixed: what every span has.
void WriteSpanPages(const SegmentDraft& draft, PageWriter* pages);
// kEvents and kLinks, without their attribute columns.
void WriteNestedPages(const SegmentDraft& draft, PageWriter* pages);
// The attribute columns of all tables, and kDictionaries.
void WriteColumnPages(const SegmentDraft& draft, PageWriter* pages);
// kResources, kScopes, kTemplates, kShapes, kStrings: what recurs.
void WriteTablePages(const SegmentDraft& draft, PageWriter* pages);
// kOutliers: block bounds and outliers.
void WriteBounds(const SegmentDraft& draft, PageWriter* pages);
// kTraceIndex.
void WriteTraceIndexPages(const SegmentDraft& draft, PageWriter* pages);
// kEdges.
void WriteEdgePages(const SegmentDraft& draft, PageWriter* pages);

}  // namespace larder
