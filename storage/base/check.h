// LARDER_CHECK(condition): an invariant of our own. It holds or the process ends, in release builds
// too: going on with a broken invariant would write wrong bytes. Input never reaches a check; what
// comes from outside is answered with a Status.
#pragma once

namespace larder::internal {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace larder::internal

#define LARDER_CHECK(condition)                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::larder::internal::CheckFailed(#condition, __FILE__, __LINE__))
