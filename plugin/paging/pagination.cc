#include "plugin/paging/pagination.h"

#include <algorithm>

#include "plugin/wire/request_wire.h"
#include "storage/model/wire.h"

namespace larder {

void PageRequest::Read(std::string_view message) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case VarintTag(1):
        size = reader.get_uint32();
        break;
      case BytesTag(2):
        token = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
}

Result<uint32_t> PageRequest::SizeWithin(uint32_t size_max) const {
  if (size == 0) return Status::InvalidArgument("pagination: page_size must be at least 1");
  return std::min(size, size_max);
}

}  // namespace larder
