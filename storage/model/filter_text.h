// The text forms that a filter's constants may take: numbers and booleans as Go's strconv reads
// them (Jaeger is written in Go), and words of a text for the operators phrase and fulltext.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// Go's ParseInt(text, 10, 64): an optional sign and decimal digits, nothing else.
std::optional<int64_t> ParseIntText(std::string_view text);

// Go's ParseFloat(text, 64): decimal and hexadecimal ("0x1p-2"), inf, nan, digits parted by '_'.
// A number beyond the range of a double is refused; one that rounds to zero is zero.
std::optional<double> ParseDoubleText(std::string_view text);

// Go's ParseBool: 1 t T TRUE true True 0 f F FALSE false False.
std::optional<bool> ParseBoolText(std::string_view text);

// The words of a text, in order: maximal runs of Unicode letters, digits and marks (categories L,
// N, M), after Unicode case folding. Bytes that are not UTF-8 separate.
std::vector<std::string> SplitWords(std::string_view text);

// Whether a text is one such word, at most `units_max` UTF-16 code units long.
bool IsWord(std::string_view text, size_t units_max);

}  // namespace larder
