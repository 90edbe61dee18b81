// What a power cut leaves of bytes that were never synced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace larder {

enum class UnsyncedTail : uint8_t {
  kDropped,  // nothing of it
  kTorn,     // a prefix of random length
  kZeros,    // the length, but zeros instead of the bytes (delayed allocation)
  kKept,     // all of it
};

struct PowerCutOptions {
  UnsyncedTail tail = UnsyncedTail::kDropped;
  // Creations, renames and removals whose directory was not synced: kept or undone.
  bool keep_names = false;
  uint64_t seed = 0;  // for kTorn
};

// What is left of `unsynced`; `salt` makes files of one cut tear at different places.
std::string TailAfterPowerCut(std::string_view unsynced, const PowerCutOptions& options,
                              std::string_view salt);

}  // namespace larder
