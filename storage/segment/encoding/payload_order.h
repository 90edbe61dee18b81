// How the payloads of one column are ordered in its dictionary.
#pragma once

#include <string_view>

#include "storage/base/coding.h"
#include "storage/model/value.h"

namespace larder {

// A number that is ordered as the doubles of these bits are (IEEE 754 totalOrder: -NaN, -inf, ...,
// -0, 0, ..., inf, NaN).
inline uint64_t DoubleOrder(uint64_t bits) {
  return (bits >> 63) != 0 ? ~bits : bits | (uint64_t{1} << 63);
}

// Whether `a` comes before `b`. REQUIRES: payloads of `type`.
inline bool PayloadLess(ValueType type, std::string_view a, std::string_view b) {
  if (type == ValueType::kInt) {
    return static_cast<int64_t>(LoadFixed64(a.data())) <
           static_cast<int64_t>(LoadFixed64(b.data()));
  }
  if (type == ValueType::kDouble) {
    return DoubleOrder(LoadFixed64(a.data())) < DoubleOrder(LoadFixed64(b.data()));
  }
  return a < b;
}

}  // namespace larder
