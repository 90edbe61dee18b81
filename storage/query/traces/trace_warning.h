// Tells the reader of a trace that a part of it is missing, where Jaeger's UI shows it.
#pragma once

#include <string>
#include <string_view>

namespace larder {

// The attribute, an array of strings, that Jaeger shows as a span's warnings.
inline constexpr std::string_view kWarningsKey = "@jaeger@warnings";

// `span` (a Span message) with `warning` added to that attribute; `span` as it is when its
// attributes are not well-formed.
std::string WithWarning(std::string_view span, std::string_view warning);

}  // namespace larder
