#include "plugin/settings/time_value.h"

#include <cstdio>
#include <ctime>
#include <string>

#include "plugin/settings/setting_value.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr uint64_t kNanosPerMs = 1'000'000;

Status BadTime(std::string_view text) {
  return Status::InvalidArgument("'" + std::string(text) +
                                 "' is not a time; write 2026-11-22T17:30:05Z, 2026-11-22, now, or "
                                 "now-3d");
}

Result<uint64_t> ParseNow(std::string_view text, uint64_t now_ns) {
  text.remove_prefix(3);
  if (text.empty()) return now_ns;
  if (text.front() != '-') return BadTime("now" + std::string(text));
  LARDER_ASSIGN_OR_RETURN(const uint64_t ago_ms, ParseDurationMs(text.substr(1)));
  if (ago_ms > now_ns / kNanosPerMs) return uint64_t{0};
  return now_ns - ago_ms * kNanosPerMs;
}

// "", "Z" or "+hh:mm"; seconds east of UTC.
bool ParseOffset(std::string_view text, int64_t* seconds) {
  *seconds = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  int hours = 0;
  int minutes = 0;
  char end = 0;
  const bool is_offset = text.size() == 6 && (text[0] == '+' || text[0] == '-') &&
                         std::sscanf(text.data() + 1, "%2d:%2d%c", &hours, &minutes, &end) == 2;
  if (!is_offset || hours > 23 || minutes > 59) return false;
  *seconds = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
  return true;
}

// Takes ".123" off the front of `*text`.
uint64_t TakeFractionNs(const char** text) {
  if (**text != '.') return 0;
  uint64_t fraction_ns = 0;
  uint64_t unit_ns = kNanosPerSecond / 10;
  for (++*text; **text >= '0' && **text <= '9'; ++*text, unit_ns /= 10) {
    fraction_ns += static_cast<uint64_t>(**text - '0') * unit_ns;
  }
  return fraction_ns;
}

}  // namespace

Result<uint64_t> ParseTimeNs(std::string_view text, uint64_t now_ns) {
  if (text.starts_with("now")) return ParseNow(text, now_ns);
  std::string copy(text);
  if (const size_t blank = copy.find(' '); blank != std::string::npos) copy[blank] = 'T';
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* rest = ::strptime(copy.c_str(), form, &parts);
    if (rest == nullptr) continue;
    const uint64_t fraction_ns = TakeFractionNs(&rest);
    int64_t offset_s = 0;
    if (!ParseOffset(rest, &offset_s)) continue;
    const int64_t seconds = ::timegm(&parts) - offset_s;
    if (seconds < 0 || static_cast<uint64_t>(seconds) >= UINT64_MAX / kNanosPerSecond) break;
    return static_cast<uint64_t>(seconds) * kNanosPerSecond + fraction_ns;
  }
  return BadTime(text);
}

}  // namespace larder
