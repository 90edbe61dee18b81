// What SLS stores, as it goes over the wire: groups of logs, in protobuf.
//
//   LogGroup { 1: Log*  3: topic  4: source  6: LogTag* }
//   Log      { 1: time, unix s   2: { 1: key  2: value }*   4: fixed32, ns in that second }
//   LogTag   { 1: key  2: value }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"

namespace larder {

struct SlsLog {
  uint32_t time_s = 0;
  uint32_t time_ns = 0;  // of that second
  // Key and value; keys differ from each other. Both are UTF-8: SLS refuses a whole group for one
  // byte that is not.
  std::vector<std::pair<std::string, std::string>> contents{};

  // The first value of a key; empty when there is none.
  std::string_view value(std::string_view key) const;
  friend bool operator==(const SlsLog&, const SlsLog&) = default;
};

struct SlsLogGroup {
  std::vector<SlsLog> logs{};
  std::string topic{};
  std::string source{};
  std::vector<std::pair<std::string, std::string>> tags{};
  friend bool operator==(const SlsLogGroup&, const SlsLogGroup&) = default;
};

// Appends one log as a field of a LogGroup; bytes of a group are its logs' and then
// AppendGroupTail's, so that a group can be built log by log.
void AppendLog(const SlsLog& log, std::string* group);
void AppendGroupTail(const SlsLogGroup& group, std::string* out);
std::string EncodeLogGroup(const SlsLogGroup& group);

// kDataLoss for bytes that are no such message. Fields that are not named above are passed over.
Result<SlsLogGroup> DecodeLogGroup(std::string_view bytes);
// A LogGroupList { 1: LogGroup* }, as PullLogs answers.
Result<std::vector<SlsLogGroup>> DecodeLogGroupList(std::string_view bytes);

}  // namespace larder
