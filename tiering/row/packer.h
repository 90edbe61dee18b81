// Rows to groups that SLS takes: at most 2.8 MB and 4,096 logs each (sizes that every revision of
// its limits allows). Equal rows give equal groups.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tiering/row/span_row.h"
#include "tiering/sls/log_group.h"

namespace larder {

inline constexpr uint64_t kGroupBytesMax = 2'800'000;
inline constexpr uint32_t kGroupLogsMax = 4096;

struct PackedGroup {
  std::string bytes;   // a LogGroup
  uint32_t spans = 0;  // of its logs those that are spans
  uint32_t logs = 0;
  uint32_t time_min_s = UINT32_MAX;
  uint32_t time_max_s = 0;
};

struct PackerOptions {
  // The tag __pack_id__ of each group is this, '-' and the number of the group, from 0 on.
  std::string pack_name;
  std::vector<std::pair<std::string, std::string>> tags{};  // further tags
  std::string topic{};
  std::string source = "larder";
  uint32_t first_group = 0;  // its number
};

// Not thread-safe.
class Packer {
 public:
  explicit Packer(PackerOptions options) : options_(std::move(options)) {}

  // Takes the row's logs over, in order.
  void Add(const SlsSpanRow& row);
  // Everything since the last Finish. Never an empty group.
  std::vector<PackedGroup> Finish();

 private:
  void AddLog(const SlsLog& log, bool is_span);
  void Close();

  const PackerOptions options_;
  PackedGroup open_;
  std::vector<PackedGroup> groups_;
};

}  // namespace larder
