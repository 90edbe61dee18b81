// A sealed segment, open for reading.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/format/segment_info.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Calls whose child started in one minute of the wall clock (start_ns / 60e9).
struct EdgeCount {
  std::string_view parent;
  std::string_view child;
  uint64_t minute = 0;
  uint64_t count = 0;
};

// Thread-safe. Pages are read when a query needs them and kept in the cache, decoded. A page whose
// checksum or content is wrong is kDataLoss naming segment and page; nothing of it is served.
class Segment : public SpanSource {
 public:
  // Reads the header and the small tables. `cache` must outlive the segment.
  static Result<std::shared_ptr<const Segment>> Open(std::unique_ptr<PageSource> pages,
                                                     PageCache* cache);

  virtual const SegmentInfo& info() const = 0;
  // Edges between spans of the segment, as Dependency (model/query.h) defines them. Views live as
  // long as the segment.
  virtual Status Edges(std::vector<EdgeCount>* edges) const = 0;
  // Appends an entry for each trace, in row order; its place is the block of the trace's first row.
  // What the trace index of a closed partition is made of.
  virtual Status TraceEntries(std::vector<TraceIndexEntry>* entries) const = 0;
  // As FindTrace, when an index said that the trace may begin in `block`; no rows when it does not.
  virtual Status FindTraceAt(const TraceId& trace_id, uint32_t block,
                             std::vector<uint32_t>* rows) const = 0;
  // Reads every page and verifies it. Appends one line per fault, naming the page; OK when it could
  // look at everything.
  virtual Status Verify(std::vector<std::string>* faults) const = 0;
  // Bytes of each section, name and size, for reports.
  virtual Status SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) const = 0;
};

}  // namespace larder
