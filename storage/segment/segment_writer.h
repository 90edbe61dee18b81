// Writes one immutable segment from the published rows of a SpanTable. FORMAT.md specifies the
// bytes.
#pragma once

#include "storage/base/status.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/format/segment_info.h"
#include "storage/segment/page/page_store.h"

namespace larder {

struct SegmentWriteOptions {
  int zstd_level = 1;
  // Leaves out spans that are equal in every field to one that is in (merges ask for it).
  bool drop_duplicates = false;
};

// Puts every page into `sink` in key order, the header among them. Needs memory of about 200 bytes
// per span beside the table. kResourceExhausted, and nothing is put, when a page would pass 1 GiB.
// REQUIRES: table.published_rows() > 0. The table is not changed; the same table and identity give
// the same bytes.
Result<SegmentInfo> WriteSegment(const SpanTable& table, const SegmentIdentity& identity,
                                 const SegmentWriteOptions& options, PageSink* sink);

}  // namespace larder
