// The header page of a segment, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/segment/page_store.h"
#include "storage/segment/segment_columns.h"
#include "storage/segment/segment_info.h"

namespace larder {

// Consecutive pages of one column of one section.
struct PageRun {
  Section section = Section::kHeader;
  uint32_t column = 0;
  uint32_t first_page = 0;
  uint32_t page_count = 0;
  uint64_t size_bytes = 0;
};

struct Header {
  SegmentInfo info;
  std::vector<ColumnInfo> columns;
  std::vector<PageRun> pages;  // every page but the header's, ascending

  bool has(PageKey key) const;
  // The pages of a column that has no gaps.
  uint32_t page_count(Section section, uint32_t column) const;
};

// The body of the header page. info.size_bytes is not written: it is the sum of `pages` and what
// the header itself takes.
std::string EncodeHeader(const Header& header);

// kDataLoss when the body is no header or contradicts itself, kFailedPrecondition when a newer
// version wrote it. info.size_bytes is then the sum of `pages`.
Result<Header> DecodeHeader(std::string_view body);

}  // namespace larder
