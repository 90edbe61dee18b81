// Walks the values of a few columns over the items of one block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/value.h"
#include "storage/segment/reader/segment_columns.h"

namespace larder {

// One column on one block: its page and the ordinal of the next value. A value is consumed for each
// slot of the column that an item's shape has, so that items must be walked in order.
class ColumnCursor {
 public:
  // `columns` must outlive this.
  ColumnCursor(const SegmentColumns& columns, uint32_t column)
      : columns_(&columns), info_(&columns.columns()[column]), column_(column) {}

  // Goes to the first value of a block.
  Status Seek(uint32_t block);
  const ColumnInfo& info() const { return *info_; }
  // The ordinal of the next value, which is then the one after it. False past the block's end.
  bool Next(uint32_t* ordinal) {
    if (next_ >= end_) return false;
    *ordinal = next_++;
    return true;
  }
  // REQUIRES: kDictionary, an ordinal from Next.
  uint32_t code(uint32_t ordinal) const { return page_->codes[ordinal]; }
  // What to answer when Next is false though a shape has a slot: kDataLoss naming the page.
  Status Fault() const;
  // The codes of the values that Next has not handed out. REQUIRES: kDictionary.
  std::span<const uint32_t> codes() const {
    return std::span(page_->codes).subspan(next_, end_ - next_);
  }
  // The payload of a value; `scratch` keeps what has to be copied.
  Result<std::string_view> Payload(uint32_t ordinal, std::string* scratch) const;

 private:
  const SegmentColumns* columns_;
  const ColumnInfo* info_;
  uint32_t column_;
  uint32_t page_number_ = 0;
  std::shared_ptr<const ColumnPage> page_;
  uint32_t next_ = 0;
  uint32_t end_ = 0;
};

}  // namespace larder
