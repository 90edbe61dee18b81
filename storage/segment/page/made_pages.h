// The cache keys of what is made of other pages: sections that no page has.
#pragma once

#include "storage/segment/page/page_store.h"

namespace larder {

inline constexpr auto kMadeShapeUses = static_cast<Section>(200);
// From here on it took a pass over a column: the cache keeps it, within a share of its capacity,
// when pages push each other out.
inline constexpr auto kMadeLasting = static_cast<Section>(224);
inline constexpr auto kMadeKeyFences = static_cast<Section>(224);
inline constexpr auto kMadeKeySlice = static_cast<Section>(225);

}  // namespace larder
