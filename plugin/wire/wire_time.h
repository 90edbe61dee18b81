// google.protobuf.Timestamp and Duration as clients send them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/base/status.h"
#include "storage/model/query.h"

namespace larder {

inline constexpr int64_t kYearOneSeconds = -62'135'596'800;  // Go's zero time, sent as unset

// Both messages have the same two fields. This and what follows throw protozero::exception on
// broken bytes.
struct SecondsAndNanos {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
SecondsAndNanos ReadSecondsAndNanos(std::string_view message);

// A signed moment that may lie before 1970 or after the last nanosecond that 64 bits count.
struct WireTime {
  bool before_1970 = false;
  bool after_last = false;
  uint64_t ns = 0;
};

// A Timestamp, or nothing when it is not set. kInvalidArgument names the `field`.
Result<std::optional<WireTime>> ReadTime(std::string_view message, std::string_view field);

// A Duration in nanoseconds, held at the ends of int64.
int64_t ReadDuration(std::string_view message);

// The spans that start between two bounds, either of which may be unset.
TimeRange RangeOf(const std::optional<WireTime>& min, const std::optional<WireTime>& max);

}  // namespace larder
