// Which doubles Jaeger v1 shows as a text: its tags have ten significant digits.
#pragma once

#include <optional>
#include <string_view>

namespace larder::v1 {

struct DoubleRange {
  double low = 0;
  double high = 0;
};

// The doubles whose ten significant digits (%.10g) `text` is, both ends included, or the one whose
// shortest digits it is; nothing when there are none. "NaN" has none.
std::optional<DoubleRange> DoublesOfText(std::string_view text);

}  // namespace larder::v1
