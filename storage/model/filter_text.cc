#include "storage/model/filter_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <utf8proc.h>

namespace larder {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsHexDigit(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); }

bool EqualIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != lower[i]) return false;
  }
  return true;
}

// Whether every '_' stands between digits (Go's rule; the prefix 0x counts as a digit).
bool UnderscoresSeparateDigits(std::string_view text, bool hex) {
  char previous = '!';
  size_t i = 0;
  if (hex) {
    previous = '0';
    i = 2;
  }
  for (; i < text.size(); ++i) {
    if (IsDigit(text[i]) || (hex && IsHexDigit(text[i]))) {
      previous = '0';
    } else if (text[i] == '_') {
      if (previous != '0') return false;
      previous = '_';
    } else {
      if (previous == '_') return false;
      previous = '!';
    }
  }
  return previous != '_';
}

// `text` without sign and underscores. from_chars tells overflow and underflow apart from neither,
// strtod does; the program never leaves the C locale.
std::optional<double> ParseUnsigned(std::string_view text, bool hex) {
  if (hex) text.remove_prefix(2);
  const bool starts_well =
      !text.empty() && (text[0] == '.' || (hex ? IsHexDigit(text[0]) : IsDigit(text[0])));
  if (!starts_well) return std::nullopt;
  if (hex && text.find_first_of("pP") == std::string_view::npos) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value,
                                      hex ? std::chars_format::hex : std::chars_format::general);
  if (parsed.ptr != end) return std::nullopt;
  if (parsed.ec == std::errc()) return value;
  if (parsed.ec != std::errc::result_out_of_range) return std::nullopt;
  value = std::strtod((std::string(hex ? "0x" : "") + std::string(text)).c_str(), nullptr);
  if (std::isinf(value)) return std::nullopt;
  return value;
}

// The next code point; nullopt for a byte that is not UTF-8, which alone is taken then.
// REQUIRES: the text is not empty.
std::optional<utf8proc_int32_t> TakeCodepoint(std::string_view* text) {
  utf8proc_int32_t codepoint = 0;
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text->data()),
                       static_cast<utf8proc_ssize_t>(text->size()), &codepoint);
  text->remove_prefix(size > 0 ? static_cast<size_t>(size) : 1);
  if (size <= 0) return std::nullopt;
  return codepoint;
}

bool IsWordCodepoint(utf8proc_int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

// Appends the case folding of a code point ("ß" becomes "ss").
void AppendFolded(utf8proc_int32_t codepoint, std::string* out) {
  std::array<utf8proc_int32_t, 8> folded;
  int boundary = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(codepoint, folded.data(), folded.size(),
                                                         UTF8PROC_CASEFOLD, &boundary);
  for (utf8proc_ssize_t i = 0; i < count && i < static_cast<utf8proc_ssize_t>(folded.size()); ++i) {
    std::array<utf8proc_uint8_t, 4> bytes;
    const utf8proc_ssize_t size =
        utf8proc_encode_char(folded[static_cast<size_t>(i)], bytes.data());
    out->append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
  }
}

}  // namespace

std::optional<int64_t> ParseIntText(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (text.empty() || !IsDigit(text[0])) return std::nullopt;
  }
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, 10);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> ParseDoubleText(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const double sign = negative ? -1.0 : 1.0;
  if (EqualIgnoringCase(text, "inf") || EqualIgnoringCase(text, "infinity")) {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (EqualIgnoringCase(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool hex = text.size() > 2 && text[0] == '0' && Lower(text[1]) == 'x';
  std::string digits;
  if (text.find('_') != std::string_view::npos) {
    if (!UnderscoresSeparateDigits(text, hex)) return std::nullopt;
    for (const char c : text) {
      if (c != '_') digits.push_back(c);
    }
    text = digits;
  }
  const std::optional<double> value = ParseUnsigned(text, hex);
  if (!value) return std::nullopt;
  return sign * *value;
}

std::optional<bool> ParseBoolText(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  while (!text.empty()) {
    const std::optional<utf8proc_int32_t> codepoint = TakeCodepoint(&text);
    const bool in_word = codepoint && IsWordCodepoint(*codepoint);
    if (in_word && !inside) words.emplace_back();
    if (in_word) AppendFolded(*codepoint, &words.back());
    inside = in_word;
  }
  return words;
}

bool IsWord(std::string_view text, size_t units_max) {
  if (text.empty()) return false;
  size_t units = 0;
  while (!text.empty()) {
    const std::optional<utf8proc_int32_t> codepoint = TakeCodepoint(&text);
    if (!codepoint || !IsWordCodepoint(*codepoint)) return false;
    units += *codepoint > 0xFFFF ? 2U : 1U;
    if (units > units_max) return false;
  }
  return true;
}

}  // namespace larder
