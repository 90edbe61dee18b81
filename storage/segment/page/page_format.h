// The forms of a page: | checksum u32 | form u8 | kPageZstd: body size varint | body or zstd frame
// |
#pragma once

#include <cstdint>

namespace larder {

// Part of the format.
inline constexpr uint8_t kPageStored = 0;
inline constexpr uint8_t kPageZstd = 1;

}  // namespace larder
