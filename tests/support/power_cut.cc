#include "tests/support/power_cut.h"

#include "storage/base/hash.h"
#include "tests/support/seed.h"

namespace larder {

std::string TailAfterPowerCut(std::string_view unsynced, const PowerCutOptions& options,
                              std::string_view salt) {
  switch (options.tail) {
    case UnsyncedTail::kDropped:
      return {};
    case UnsyncedTail::kTorn: {
      Random random(options.seed ^ Hash64(salt));
      return std::string(unsynced.substr(0, random.Below(unsynced.size() + 1)));
    }
    case UnsyncedTail::kZeros:
      return std::string(unsynced.size(), '\0');
    case UnsyncedTail::kKept:
      break;
  }
  return std::string(unsynced);
}

}  // namespace larder
