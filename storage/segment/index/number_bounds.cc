#include "storage/segment/index/number_bounds.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "storage/base/coding.h"
#include "storage/segment/index/index_format.h"

namespace larder {
namespace {

bool IsNan(ValueType type, uint64_t payload) {
  return type == ValueType::kDouble && std::isnan(std::bit_cast<double>(payload));
}

}  // namespace

// Of each block that is not empty of numbers: the least, as its distance from the block before's,
// and how much greater the greatest is. Neighbours are alike, so that both are short.
void WriteNumberBounds(uint32_t number, const ColumnDraft& column, uint32_t block_count,
                       PageWriter* pages) {
  BlockSet blocks(block_count);
  std::string bounds;
  int64_t before = 0;
  for (uint32_t block = 0; block + 1 < column.block_starts.size(); ++block) {
    int64_t least = INT64_MAX;
    int64_t greatest = INT64_MIN;
    for (uint32_t i = column.block_starts[block]; i < column.block_starts[block + 1]; ++i) {
      if (IsNan(column.info.type, column.numbers[i])) continue;
      const auto ordered = static_cast<int64_t>(OrderedNumber(column.info.type, column.numbers[i]));
      least = std::min(least, ordered);
      greatest = std::max(greatest, ordered);
    }
    if (least > greatest) continue;
    blocks.Add(block);
    const uint64_t step = static_cast<uint64_t>(least) - static_cast<uint64_t>(before);
    PutVarint(&bounds, ZigZag(static_cast<int64_t>(step)));
    PutVarint(&bounds, static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least));
    before = least;
  }
  std::string body;
  PutBlockSet(&body, blocks);
  pages->Add(IndexNumberBoundsKey(number), body + bounds);
}

bool DecodeNumberBounds(std::string_view body, ValueType type, uint32_t block_count,
                        NumberBoundsPage* page) {
  ByteReader reader(body);
  page->blocks = BlockSet(block_count);
  if (!AddBlockSet(&reader, &page->blocks)) return false;
  uint64_t least = 0;
  for (uint32_t i = page->blocks.count(); i > 0; --i) {
    uint64_t step = 0;
    uint64_t width = 0;
    if (!reader.GetVarint(&step) || !reader.GetVarint(&width)) return false;
    least += static_cast<uint64_t>(UnZigZag(step));
    const uint64_t greatest = least + width;
    if (static_cast<int64_t>(greatest) < static_cast<int64_t>(least)) return false;
    page->bounds.push_back({OrderedNumber(type, least), OrderedNumber(type, greatest)});
  }
  return reader.empty();
}

}  // namespace larder
