// Reads the index section of a segment: asked for sets of blocks, it reads the pages they need.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/bitmap/row_set.h"
#include "storage/segment/index/number_bounds.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/block_set.h"

namespace larder {

// Durations of some rows, signed nanoseconds, both ends met.
struct DurationBounds {
  int64_t min_ns = 0;
  int64_t max_ns = 0;
};

// Which codes of a column the rows of each span template have, and of which codes the rows are
// kept.
class CodeIndexPage : public CachedPage {
 public:
  // None: the template has no rows with the column, or more codes than are listed.
  std::span<const uint32_t> codes_of(uint32_t item) const {
    if (starts.empty()) return {};
    return std::span(codes).subspan(starts[item], starts[item + 1] - starts[item]);
  }
  // The place of a code's set of rows.
  std::optional<uint32_t> PlaceOfRows(uint32_t code) const;
  uint64_t memory_bytes() const override;

  std::vector<uint32_t> starts;  // of each template, and the count
  std::vector<uint32_t> codes;
  std::vector<uint32_t> row_codes;  // ascending
};

class RowSetPage : public CachedPage {
 public:
  RowSet rows;
  uint64_t memory_bytes() const override { return sizeof(*this) + rows.memory_bytes(); }
};

// Rows whose durations lie between a band's least and the next one's.
class DurationBandsPage : public CachedPage {
 public:
  std::vector<int64_t> least_ns;  // ascending
  uint64_t memory_bytes() const override {
    return sizeof(*this) + least_ns.capacity() * sizeof(int64_t);
  }
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
  // REQUIRES of the two: as AddCodes, and the column is one of spans. A segment of version 1 keeps
  // neither: the page is then empty.
  PageOf<CodeIndexPage> Codes(uint32_t column) const;
  // The rows that have the code of this place in a slot of the column. REQUIRES: the place is in
  // Codes(column)->row_codes.
  PageOf<RowSetPage> RowsOfCode(uint32_t column, uint32_t place) const;
  // Empty in a segment of version 1.
  PageOf<DurationBandsPage> DurationBands() const;
  // REQUIRES: there is such a band.
  PageOf<RowSetPage> RowsOfBand(uint32_t band) const;
  // Nullptr in a segment of a version before 3. REQUIRES: a column of numbers.
  PageOf<NumberBoundsPage> NumberBounds(uint32_t column) const;
  // By block and by span template.
  Status Durations(std::vector<DurationBounds>* blocks,
                   std::vector<DurationBounds>* templates) const;

 private:
  PageOf<RowSetPage> Rows(PageKey key) const;

  const SegmentColumns& columns_;
};

}  // namespace larder
