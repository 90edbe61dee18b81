// LARDER_CRASH_POINT("seal.ingested"): a place where crash tests kill the process.
//
// A test starts a child with LARDER_CRASH_AT=name:n in its environment; the n-th time (from 1) that
// the child passes the point it is killed as by kill -9. "*:n" counts the points of every name. Not
// armed, a point costs one load of a constant.
#pragma once

namespace larder::internal {

extern const bool kCrashPointsArmed;
void PassCrashPoint(const char* name);

}  // namespace larder::internal

#define LARDER_CRASH_POINT(name)                                                         \
  do {                                                                                   \
    if (::larder::internal::kCrashPointsArmed) ::larder::internal::PassCrashPoint(name); \
  } while (false)
