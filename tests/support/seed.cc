#include "tests/support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace larder {

uint64_t TestSeed() {
  const char* given = std::getenv("LARDER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::fprintf(stderr, "LARDER_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace larder
