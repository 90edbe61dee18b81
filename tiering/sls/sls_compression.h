// Bodies of requests and responses: a raw LZ4 block (no frame, no length: that travels in
// x-log-bodyrawsize), one zstd frame, or as they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "tiering/tier_options.h"

namespace larder {

// Bodies above this, unpacked, are refused before memory is taken for them: a page of 100 rows of
// 1 MB, which is what SLS takes, is below it.
inline constexpr uint64_t kSlsBodyBytesMax = 128ull << 20;

// "lz4", "zstd", as x-log-compresstype says it; empty for kNone.
std::string_view CompressionName(SlsCompression compression);

std::string CompressBody(SlsCompression compression, std::string_view body);
// `name` is x-log-compresstype. kDataLoss when the bytes do not unpack to exactly `raw_bytes`, and
// for a name that is not known.
Result<std::string> DecompressBody(std::string_view name, std::string_view body,
                                   uint64_t raw_bytes);

}  // namespace larder
