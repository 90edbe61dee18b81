// The header page of a segment, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/segment/format/column_info.h"
#include "storage/segment/format/segment_info.h"
#include "storage/segment/page/page_store.h"

namespace larder {

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
