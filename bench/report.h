// What a bench prints: one figure a line, with the goal of the design beside it where there is one.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::bench {

void PrintTitle(std::string_view title);
// "name  12.3 unit   goal". `goal` is free text.
void PrintFigure(std::string_view name, double value, std::string_view unit,
                 std::string_view goal = "");
void PrintNote(std::string_view note);

}  // namespace larder::bench
