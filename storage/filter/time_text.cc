#include "storage/filter/time_text.h"

#include <array>
#include <limits>
#include <utility>

namespace larder {
namespace {

constexpr uint64_t kTwo63 = uint64_t{1} << 63;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr std::array<std::pair<std::string_view, uint64_t>, 8> kUnits = {{
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},  // U+00B5, the micro sign
    {"\xCE\xBCs", 1'000},  // U+03BC, the letter mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

std::optional<uint64_t> UnitOf(std::string_view word) {
  for (const auto& [unit, ns] : kUnits) {
    if (unit == word) return ns;
  }
  return std::nullopt;
}

// Takes the digits in front of `text`; nullopt when they make more than 2^63.
std::optional<uint64_t> TakeWhole(std::string_view* text) {
  uint64_t value = 0;
  while (!text->empty() && IsDigit(text->front())) {
    if (value > kTwo63 / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(text->front() - '0');
    if (value > kTwo63) return std::nullopt;
    text->remove_prefix(1);
  }
  return value;
}

struct Fraction {
  uint64_t value = 0;
  double scale = 1;
};

// Digits beyond what 63 bits hold are dropped, as in Go.
Fraction TakeFraction(std::string_view* text) {
  Fraction fraction;
  bool full = false;
  for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
    if (full) continue;
    full = fraction.value > (kTwo63 - 1) / 10;
    if (full) continue;
    fraction.value = fraction.value * 10 + static_cast<uint64_t>(text->front() - '0');
    fraction.scale *= 10;
  }
  return fraction;
}

// Takes one number with its unit: its nanoseconds, at most 2^63.
std::optional<uint64_t> TakeTerm(std::string_view* text) {
  const size_t size_before = text->size();
  const std::optional<uint64_t> whole = TakeWhole(text);
  if (!whole) return std::nullopt;
  size_t digits = size_before - text->size();
  Fraction fraction;
  if (!text->empty() && text->front() == '.') {
    text->remove_prefix(1);
    const size_t fraction_size = text->size();
    fraction = TakeFraction(text);
    digits += fraction_size - text->size();
  }
  if (digits == 0) return std::nullopt;
  size_t unit_size = 0;
  while (unit_size < text->size() && (*text)[unit_size] != '.' && !IsDigit((*text)[unit_size])) {
    ++unit_size;
  }
  const std::optional<uint64_t> unit = UnitOf(text->substr(0, unit_size));
  text->remove_prefix(unit_size);
  if (!unit || *whole > kTwo63 / *unit) return std::nullopt;
  const uint64_t ns =
      *whole * *unit + static_cast<uint64_t>(static_cast<double>(fraction.value) *
                                             (static_cast<double>(*unit) / fraction.scale));
  if (ns > kTwo63) return std::nullopt;
  return ns;
}

// Takes exactly `count` digits as a number.
std::optional<uint32_t> TakeDigits(std::string_view* text, size_t count) {
  if (text->size() < count) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text->substr(0, count)) {
    if (!IsDigit(c)) return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  text->remove_prefix(count);
  return value;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

uint32_t DaysOfMonth(uint32_t year, uint32_t month) {
  constexpr std::array<uint32_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

// Days since 1970-01-01 of a day of the Gregorian calendar.
// Howard Hinnant, https://howardhinnant.github.io/date_algorithms.html#days_from_civil
int64_t DaysSince1970(int64_t year, uint32_t month, uint32_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * ((int64_t{month} + 9) % 12) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

// YYYY-MM-DD
std::optional<int64_t> TakeDate(std::string_view* text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day || *month < 1 || *month > 12) return std::nullopt;
  if (*day < 1 || *day > DaysOfMonth(*year, *month)) return std::nullopt;
  return DaysSince1970(*year, *month, *day);
}

// HH:MM:SS as seconds of the day. Go takes an hour of one digit too.
std::optional<int64_t> TakeClock(std::string_view* text) {
  const bool short_hour = text->size() > 1 && (*text)[1] == ':';
  const auto hour = TakeDigits(text, short_hour ? 1 : 2);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || !Take(text, ':')) return std::nullopt;
  const auto second = TakeDigits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return int64_t{*hour} * 3600 + int64_t{*minute} * 60 + *second;
}

// Nothing, or a point (Go: or a comma) and one to nine digits, as nanoseconds.
std::optional<uint32_t> TakeSecondFraction(std::string_view* text) {
  if (!Take(text, '.') && !Take(text, ',')) return 0;
  uint32_t ns = 0;
  size_t digits = 0;
  for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
    if (++digits > 9) return std::nullopt;
    ns = ns * 10 + static_cast<uint32_t>(text->front() - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) ns *= 10;
  return ns;
}

// Z, +hh:mm or -hh:mm, in seconds east of UTC. Go's limits are those of the calls, not of the map.
std::optional<int64_t> TakeZone(std::string_view* text) {
  if (Take(text, 'Z')) return 0;
  const bool west = !text->empty() && text->front() == '-';
  if (!Take(text, '-') && !Take(text, '+')) return std::nullopt;
  const auto hours = TakeDigits(text, 2);
  if (!hours || !Take(text, ':')) return std::nullopt;
  const auto minutes = TakeDigits(text, 2);
  if (!minutes || *hours > 24 || *minutes > 60) return std::nullopt;
  const int64_t seconds = int64_t{*hours} * 3600 + int64_t{*minutes} * 60;
  return west ? -seconds : seconds;
}

}  // namespace

std::optional<int64_t> ParseDurationText(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    const std::optional<uint64_t> term = TakeTerm(&text);
    if (!term || __builtin_add_overflow(total, *term, &total)) return std::nullopt;
    if (total > kTwo63) return std::nullopt;
  }
  if (negative) return static_cast<int64_t>(0 - total);
  if (total == kTwo63) return std::nullopt;
  return static_cast<int64_t>(total);
}

std::optional<Moment> ParseMomentText(std::string_view text) {
  const auto days = TakeDate(&text);
  if (!days || !Take(&text, 'T')) return std::nullopt;
  const auto second_of_day = TakeClock(&text);
  if (!second_of_day) return std::nullopt;
  const auto fraction_ns = TakeSecondFraction(&text);
  if (!fraction_ns) return std::nullopt;
  const auto zone = TakeZone(&text);
  if (!zone || !text.empty()) return std::nullopt;
  const int64_t seconds = *days * 86'400 + *second_of_day - *zone;
  if (seconds < 0) return Moment{Moment::Place::kBeforeAll, 0};
  constexpr uint64_t kNanos = 1'000'000'000;
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole > (UINT64_MAX - *fraction_ns) / kNanos) return Moment{Moment::Place::kAfterAll, 0};
  return Moment{Moment::Place::kWithin, whole * kNanos + *fraction_ns};
}

}  // namespace larder
