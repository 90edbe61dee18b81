// Segments whose pages lie in memory, for tests that need no disk.
#pragma once

#include <memory>

#include "storage/base/check.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"

namespace larder {

// A segment of the published rows of `table`, written and opened. `cache` must outlive it.
inline std::shared_ptr<const Segment> StoreSegment(const SpanTable& table,
                                                   const SegmentIdentity& identity,
                                                   PageCache* cache,
                                                   const SegmentWriteOptions& options = {}) {
  MapPageStore pages;
  LARDER_CHECK(WriteSegment(table, identity, options, &pages).ok());
  return Segment::Open(pages.Source(), cache).value();
}

}  // namespace larder
