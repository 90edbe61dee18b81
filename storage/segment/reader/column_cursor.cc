#include "storage/segment/reader/column_cursor.h"

#include "storage/segment/format/segment_format.h"
#include "storage/segment/page/page.h"

namespace larder {

Status ColumnCursor::Seek(uint32_t block) {
  page_number_ = block / kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(page_, columns_->Column(column_, page_number_));
  next_ = page_->block_starts[block % kPageBlocks];
  end_ = page_->block_starts[block % kPageBlocks + 1];
  return Status::Ok();
}

Status ColumnCursor::Fault() const {
  return PageFault(ColumnPageKey(info_->table, column_, page_number_),
                   "has fewer values than the shapes say");
}

Result<std::string_view> ColumnCursor::Payload(uint32_t ordinal, std::string* scratch) const {
  switch (info_->coding) {
    case ColumnCoding::kDictionary: {
      LARDER_ASSIGN_OR_RETURN(const ColumnDictionary* dictionary, columns_->Dictionary(column_));
      scratch->clear();
      LARDER_RETURN_IF_ERROR(dictionary->Append(page_->codes[ordinal], scratch));
      return std::string_view(*scratch);
    }
    case ColumnCoding::kNumbers:
      return std::string_view(reinterpret_cast<const char*>(&page_->numbers[ordinal]),
                              sizeof(uint64_t));
    case ColumnCoding::kBytes:
      break;
  }
  return page_->bytes(ordinal);
}

}  // namespace larder
