// The spellings of a setting's value: 7d, 1h30m, 256MiB, true. A value that is not understood is
// kInvalidArgument and the message says what is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace larder {

// A number with a unit, or several from the larger to the smaller: "90m", "1h30m", "1.5s". Units:
// ms s m h d w. Milliseconds; what is finer than a millisecond is refused.
Result<uint64_t> ParseDurationMs(std::string_view text);
// The shortest exact spelling: "7d", "90m".
std::string DurationText(uint64_t ms);

// "256MiB", "1.5GB", "4096". Units: B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of
// 1024). Bytes.
Result<uint64_t> ParseSizeBytes(std::string_view text);
std::string SizeText(uint64_t bytes);

Result<uint64_t> ParseCount(std::string_view text);
// true false, yes no, on off, 1 0.
Result<bool> ParseSwitch(std::string_view text);

// How many letters to insert, delete, replace or swap with their neighbour to turn one into the
// other (optimal string alignment distance), to guess what a mistyped name was meant to be.
size_t EditDistance(std::string_view a, std::string_view b);

// "; did you mean X?" with the name nearest to what was written, `prefix` in front of it; empty
// when none is near.
std::string Suggestion(std::string_view written, const std::vector<std::string>& names,
                       std::string_view prefix = "");

}  // namespace larder
