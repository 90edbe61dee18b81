#include "plugin/settings/setting_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace larder {
namespace {

struct Unit {
  std::string_view word;
  uint64_t factor;
};

constexpr std::array<Unit, 6> kDurationUnits = {{{"w", 7ull * 24 * 3600 * 1000},
                                                 {"d", 24ull * 3600 * 1000},
                                                 {"h", 3600ull * 1000},
                                                 {"m", 60ull * 1000},
                                                 {"s", 1000},
                                                 {"ms", 1}}};
constexpr std::array<Unit, 10> kSizeUnits = {{{"TiB", 1ull << 40},
                                              {"GiB", 1ull << 30},
                                              {"MiB", 1ull << 20},
                                              {"KiB", 1ull << 10},
                                              {"TB", 1'000'000'000'000},
                                              {"GB", 1'000'000'000},
                                              {"MB", 1'000'000},
                                              {"kB", 1000},
                                              {"B", 1},
                                              {"", 1}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Takes a run of characters off the front of `*text`.
template <typename Belongs>
std::string_view TakeRun(std::string_view* text, Belongs belongs) {
  const auto* end = std::find_if_not(text->begin(), text->end(), belongs);
  const auto length = static_cast<size_t>(end - text->begin());
  const std::string_view run = text->substr(0, length);
  text->remove_prefix(length);
  return run;
}

// number times unit when that is a whole number that fits; false otherwise.
bool Multiply(std::string_view number, uint64_t factor, uint64_t* product) {
  uint64_t whole = 0;
  const char* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, whole);
  if (parsed.ec == std::errc() && parsed.ptr == end) {
    return !__builtin_mul_overflow(whole, factor, product);
  }
  double real = 0;
  const auto real_parsed = std::from_chars(number.data(), end, real, std::chars_format::fixed);
  if (real_parsed.ec != std::errc() || real_parsed.ptr != end) return false;
  const double exact = real * static_cast<double>(factor);
  if (!(exact >= 0) || exact >= 0x1p53 || exact != std::floor(exact)) return false;
  *product = static_cast<uint64_t>(exact);
  return true;
}

template <size_t kCount>
const Unit* FindUnit(const std::array<Unit, kCount>& units, std::string_view word) {
  const auto* found =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.word == word; });
  return found == units.end() ? nullptr : found;
}

Status BadDuration(std::string_view text) {
  return Status::InvalidArgument("'" + std::string(text) +
                                 "' is not a duration; write a number and a unit of ms, s, m, h, "
                                 "d, w, such as 500ms, 90s, 1h30m, 7d");
}

}  // namespace

Result<uint64_t> ParseDurationMs(std::string_view text) {
  uint64_t total_ms = 0;
  uint64_t last_factor = UINT64_MAX;
  std::string_view rest = text;
  do {
    const std::string_view number = TakeRun(&rest, [](char c) { return IsDigit(c) || c == '.'; });
    const Unit* unit = FindUnit(kDurationUnits, TakeRun(&rest, IsLetter));
    uint64_t ms = 0;
    const bool understood =
        unit != nullptr && unit->factor < last_factor && Multiply(number, unit->factor, &ms);
    if (!understood || __builtin_add_overflow(total_ms, ms, &total_ms)) return BadDuration(text);
    last_factor = unit->factor;
  } while (!rest.empty());
  return total_ms;
}

std::string DurationText(uint64_t ms) {
  if (ms == 0) return "0s";
  for (const Unit& unit : kDurationUnits) {
    if (unit.word != "w" && ms % unit.factor == 0) {
      return std::to_string(ms / unit.factor) + std::string(unit.word);
    }
  }
  return std::to_string(ms) + "ms";
}

Result<uint64_t> ParseSizeBytes(std::string_view text) {
  std::string_view rest = text;
  const std::string_view number = TakeRun(&rest, [](char c) { return IsDigit(c) || c == '.'; });
  const Unit* unit = FindUnit(kSizeUnits, rest);
  uint64_t bytes = 0;
  if (unit == nullptr || !Multiply(number, unit->factor, &bytes)) {
    return Status::InvalidArgument("'" + std::string(text) +
                                   "' is not a size; write a number and a unit of B, KiB, MiB, "
                                   "GiB, TiB, kB, MB, GB, TB, such as 256MiB");
  }
  return bytes;
}

std::string SizeText(uint64_t bytes) {
  if (bytes == 0) return "0B";
  for (const Unit& unit : kSizeUnits) {
    const bool binary = unit.word.ends_with("iB") || unit.word == "B";
    if (binary && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.word);
    }
  }
  return std::to_string(bytes) + "B";
}

Result<uint64_t> ParseCount(std::string_view text) {
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, count);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Status::InvalidArgument("'" + std::string(text) + "' is not a whole number");
  }
  return count;
}

Result<bool> ParseSwitch(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return Status::InvalidArgument("'" + std::string(text) + "' is neither true nor false");
}

size_t EditDistance(std::string_view a, std::string_view b) {
  // Rows of the table of distances between beginnings of a and of b: this one and the two above.
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::vector<size_t> two_above;
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    two_above = std::move(above);
    above = std::move(row);
    row.assign(b.size() + 1, i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string Suggestion(std::string_view written, const std::vector<std::string>& names,
                       std::string_view prefix) {
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, written.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(written, name);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = name;
  }
  return best.empty() ? "" : "; did you mean " + std::string(prefix) + std::string(best) + "?";
}

}  // namespace larder
