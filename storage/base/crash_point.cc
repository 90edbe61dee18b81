#include "storage/base/crash_point.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace larder::internal {
namespace {

struct Armed {
  std::string name;
  uint64_t count = 0;
};

const Armed& WhatIsArmed() {
  static const Armed armed = [] {
    Armed parsed;
    const char* const text = std::getenv("LARDER_CRASH_AT");
    const std::string_view view = text != nullptr ? text : "";
    const size_t colon = view.rfind(':');
    if (colon == std::string_view::npos) return parsed;
    parsed.name = view.substr(0, colon);
    parsed.count = std::strtoull(text + colon + 1, nullptr, 10);
    return parsed;
  }();
  return armed;
}

}  // namespace

const bool kCrashPointsArmed = WhatIsArmed().count > 0;

void PassCrashPoint(const char* name) {
  static std::atomic<uint64_t> passed = 0;
  const Armed& armed = WhatIsArmed();
  if (armed.name != "*" && armed.name != name) return;
  if (passed.fetch_add(1) + 1 == armed.count) std::raise(SIGKILL);
}

}  // namespace larder::internal
