// A point in time as people write it.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// "2026-11-22T17:30:05.5Z", with an offset (+02:00) or without one (UTC), a blank for the T, or as
// far as the minute or the day alone; "now", "now-3d". Nanoseconds since 1970; `now_ns` is what
// "now" means.
Result<uint64_t> ParseTimeNs(std::string_view text, uint64_t now_ns);

}  // namespace larder
