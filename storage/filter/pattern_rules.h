// Which regular expressions a filter may use: RE2 syntax without what indexes of other backends
// cannot serve (anchors, word boundaries, lazy quantifiers, inline flags that fold case or swap
// greed).
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// The pattern as RE2 takes it: groups named (?<n>..), which Go has learnt, become (?P<n>..).
// kInvalidArgument naming the construct: a refused one, or a pattern above kPatternBytesMax. What
// it returns may still be no regular expression: RE2 says that (text_pattern.h).
Result<std::string> CheckPattern(std::string_view pattern);

}  // namespace larder
