#include "bench/report.h"

#include <cmath>
#include <cstdio>
#include <string>

namespace larder::bench {

void PrintTitle(std::string_view title) { std::printf("\n== %s\n", std::string(title).c_str()); }

void PrintFigure(std::string_view name, double value, std::string_view unit,
                 std::string_view goal) {
  const int decimals = std::abs(value) >= 1000 ? 0 : std::abs(value) >= 10 ? 1 : 3;
  std::printf("%-46s %12.*f %-8s %s\n", std::string(name).c_str(), decimals, value,
              std::string(unit).c_str(), std::string(goal).c_str());
  std::fflush(stdout);
}

void PrintNote(std::string_view note) {
  std::printf("   %s\n", std::string(note).c_str());
  std::fflush(stdout);
}

}  // namespace larder::bench
