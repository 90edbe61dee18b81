// Durations and moments as the constants of a filter write them: exactly the texts that Go's
// time.ParseDuration and time.Parse(time.RFC3339Nano) take, since Jaeger is written in Go.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace larder {

// Signed nanoseconds: "1h2m", "-1.5s", "10us" (also with either sign for micro), "0".
std::optional<int64_t> ParseDurationText(std::string_view text);

// A moment beside spans, whose times are unsigned nanoseconds since 1970 and end in 2554.
struct Moment {
  enum class Place : uint8_t { kBeforeAll, kWithin, kAfterAll };
  Place place = Place::kWithin;
  uint64_t ns = 0;  // when kWithin
};

// "2026-08-16T10:00:00.02Z", "...+02:00".
std::optional<Moment> ParseMomentText(std::string_view text);

}  // namespace larder
