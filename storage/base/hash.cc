#include "storage/base/hash.h"

// Compiled in rather than called: most inputs are shorter than a call through the library is long.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace larder {

uint64_t Hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 HashWide(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.low = hash.low64, .high = hash.high64};
}

uint32_t Checksum32(std::string_view bytes) { return static_cast<uint32_t>(Hash64(bytes)); }

}  // namespace larder
