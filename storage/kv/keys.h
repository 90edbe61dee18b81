// The only place where a key is composed or parsed. KEYS.md specifies the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/model/ids.h"

namespace larder {

// Where a page lies inside its partition. Keys sort by these members in this order.
struct ShelfKey {
  TenantId tenant = 0;
  uint64_t segment_id = 0;
  uint8_t section = 0;
  uint32_t column = 0;
  uint32_t page = 0;
  friend auto operator<=>(const ShelfKey&, const ShelfKey&) = default;
};

inline constexpr size_t kShelfKeyBytes = 21;

std::string EncodeShelfKey(const ShelfKey& key);
// False when `bytes` is no page key.
bool DecodeShelfKey(std::string_view bytes, ShelfKey* key);

// What every key of a tenant, or of a segment, starts with.
std::string TenantPrefix(TenantId tenant);
std::string SegmentPrefix(TenantId tenant, uint64_t segment_id);
// The smallest key that is after every key with this prefix; empty when there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace larder
