// What a request says of its page (jaeger.storage.v2 Pagination).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Spans of a page that was not asked for by size.
constexpr uint32_t kPageSizeDefault = 1000;

struct PageRequest {
  uint32_t size = 0;
  std::string token;  // empty: the first page

  // Adds a message Pagination; of one that comes twice the later fields count. May throw
  // protozero::exception.
  void Read(std::string_view message);
  // The size, at most `size_max`; kInvalidArgument when it is 0.
  Result<uint32_t> SizeWithin(uint32_t size_max) const;
};

}  // namespace larder
