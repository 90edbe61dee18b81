// The least and the greatest number that a number column has on each block: what a range of
// numbers needs not look at.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/model/value.h"
#include "storage/segment/page/page_writer.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/block_set.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// Payloads of ints and doubles as signed numbers in their order; of doubles the total one, in which
// -0 comes before 0. The same function leads back.
inline uint64_t OrderedNumber(ValueType type, uint64_t payload) {
  const bool flipped = type == ValueType::kDouble && static_cast<int64_t>(payload) < 0;
  return flipped ? payload ^ INT64_MAX : payload;
}

// Bounds are payloads of the column's type. NaN is in none: no range holds it.
class NumberBoundsPage : public CachedPage {
 public:
  struct Bounds {
    uint64_t least = 0;
    uint64_t greatest = 0;
  };
  uint64_t memory_bytes() const override {
    return sizeof(*this) + bounds.capacity() * sizeof(Bounds) + blocks.block_count() / 8;
  }

  BlockSet blocks;             // those with a number
  std::vector<Bounds> bounds;  // of each of them, ascending
};

// REQUIRES: a column of numbers.
void WriteNumberBounds(uint32_t number, const ColumnDraft& column, uint32_t block_count,
                       PageWriter* pages);

// False: the body is no such page.
bool DecodeNumberBounds(std::string_view body, ValueType type, uint32_t block_count,
                        NumberBoundsPage* page);

}  // namespace larder
