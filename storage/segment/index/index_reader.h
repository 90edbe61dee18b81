// Reads the index section of a segment: asked for sets of blocks, it reads the pages they need.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/block_set.h"

namespace larder {

// Durations of some rows, signed nanoseconds, both ends met.
struct DurationBounds {
  int64_t min_ns = 0;
  int64_t max_ns = 0;
};

// Cheap to make. Thread-safe as `columns` is, which must outlive it. Failures are kDataLoss, naming
// the page, or kUnavailable.
class IndexReader {
 public:
  explicit IndexReader(const SegmentColumns& columns) : columns_(columns) {}

  // Adds to `blocks` those that hold a row of one of the span templates, and among its rows there
  // one that lasts as long as this class (index_format.h) or longer. REQUIRES: ascending.
  Status AddTemplates(std::span<const uint32_t> templates, uint8_t longest_min,
                      BlockSet* blocks) const;
  // ... those that hold one of these values of a dictionary column. REQUIRES: ascending codes; the
  // column's dictionary has more than one value and it is no overflow column.
  Status AddCodes(uint32_t column, std::span<const uint32_t> codes, BlockSet* blocks) const;
  // ... those that may hold a value with this hash: of the payload, in an overflow column of the
  // key. REQUIRES: the column is an overflow column or no dictionary column.
  Status AddHash(uint32_t column, uint64_t hash, BlockSet* blocks) const;
  // By block and by span template.
  Status Durations(std::vector<DurationBounds>* blocks,
                   std::vector<DurationBounds>* templates) const;

 private:
  const SegmentColumns& columns_;
};

}  // namespace larder
