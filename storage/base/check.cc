#include "storage/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace larder::internal {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "larder: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace larder::internal
