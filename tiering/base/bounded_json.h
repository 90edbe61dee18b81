// JSON of others, of a bounded depth: what walks or writes a value goes down with it, and so would
// the stack.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace larder {

inline constexpr int kJsonDepthMax = 128;

// Discarded (is_discarded) when the text is no JSON or has more levels.
nlohmann::json ParseBoundedJson(std::string_view text);

}  // namespace larder
