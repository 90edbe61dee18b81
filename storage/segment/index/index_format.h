// Constants of the index section. INDEX.md specifies the bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "storage/segment/page/page_store.h"

namespace larder {

// "Columns" of Section::kIndex.
inline constexpr uint32_t kIndexTemplates = 0;      // sets of blocks, by span template
inline constexpr uint32_t kIndexDurations = 1;      // bounds of durations, by block and by template
inline constexpr uint32_t kIndexDurationBands = 2;  // rows of long durations
inline constexpr uint32_t kIndexNumberBounds = 3;   // least and greatest number of each block
inline constexpr uint32_t kIndexColumnBase = 16;    // + a segment column: its values

// The class of a duration: four to an octave, ascending. What is not positive is class 0.
inline constexpr uint8_t DurationClass(int64_t ns) {
  if (ns <= 0) return 0;
  const auto value = static_cast<uint64_t>(ns);
  const auto octave = static_cast<uint32_t>(std::bit_width(value)) - 1;
  const auto quarter =
      static_cast<uint32_t>((octave >= 2 ? value >> (octave - 2) : value << (2 - octave)) & 3);
  return static_cast<uint8_t>(1 + octave * 4 + quarter);
}

// Sets per page: small pages, so that one look-up reads little.
inline constexpr uint32_t kIndexSetsPerPage = 256;
inline constexpr uint32_t kIndexTemplatesPerPage = 64;
// Mean number of entries of a page of hashes.
inline constexpr uint32_t kIndexHashesPerPage = 1024;

// More codes than these are not listed of a template.
inline constexpr uint32_t kTemplateCodesMax = 8;
// Rows are kept of codes that lie on this share of the blocks, one in so many, ...
inline constexpr uint32_t kRowSetBlocksOneIn = 4;
// ... and at most so many bytes of them for 100 rows, all columns together.
inline constexpr uint64_t kRowSetPercent = 65;
// A column with no more of them can name a value by the rows of the others.
inline constexpr uint32_t kRowSetsOfColumnMax = 16;

// Of durations bands are kept down to this many rows: fewer lie on few blocks, whose bounds say as
// much.
inline constexpr int64_t kBandRowsMin = 64;

inline PageKey IndexKey(uint32_t index_column, uint32_t page) {
  return {Section::kIndex, index_column, page};
}
inline PageKey IndexNumberBoundsKey(uint32_t column) {
  return IndexKey(kIndexNumberBounds, column);
}
// Of a dictionary column the pages behind its sets of blocks: the codes of templates, then the sets
// of rows.
inline PageKey IndexTemplateCodesKey(uint32_t column, uint32_t code_count) {
  return IndexKey(kIndexColumnBase + column,
                  (code_count + kIndexSetsPerPage - 1) / kIndexSetsPerPage);
}
inline PageKey IndexRowsKey(uint32_t column, uint32_t code_count, uint32_t set) {
  PageKey key = IndexTemplateCodesKey(column, code_count);
  key.page += 1 + set;
  return key;
}
inline uint32_t IndexHashPages(uint64_t value_count) {
  return static_cast<uint32_t>(std::max<uint64_t>(1, value_count / kIndexHashesPerPage));
}
// High bits choose the page, low bits are kept in it.
inline uint32_t IndexHashPage(uint64_t hash, uint32_t pages) {
  return static_cast<uint32_t>(((hash >> 32) * pages) >> 32);
}
inline uint32_t IndexFingerprint(uint64_t hash) { return static_cast<uint32_t>(hash & 0xFFFF); }

}  // namespace larder
