// XXH3 (https://xxhash.com) under our names: hashes for tables, and checksums of what lies on disk.
// Disk formats depend on these values: they may never change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder {

uint64_t Hash64(std::string_view bytes);

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};
Hash128 HashWide(std::string_view bytes);

// The checksum of every record and page on disk: the low 32 bits of XXH3-64.
uint32_t Checksum32(std::string_view bytes);

}  // namespace larder
