#include "tests/support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace larder {

uint64_t TestSeed() {
  const char* given = std::getenv("LARDER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::fprintf(stderr, "LARDER_SEED=%s\n", std::to_string(seed).c_str());
  return seed;
}

}  // namespace larder
