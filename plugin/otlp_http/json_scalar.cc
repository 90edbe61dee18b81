#include "plugin/otlp_http/json_scalar.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "storage/model/wire.h"

namespace larder::otlp_json {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

bool AppendVarint(const Field& field, uint64_t value, bool keep_default, std::string* out) {
  if (value == 0 && !keep_default) return true;
  wire::AppendVarint(field.tag, out);
  wire::AppendVarint(value, out);
  return true;
}

bool AppendDouble(const Field& field, double value, bool keep_default, std::string* out) {
  const auto bits = std::bit_cast<uint64_t>(value);
  if (bits == 0 && keep_default) {
    wire::AppendVarint(field.tag, out);
    out->append(sizeof bits, '\0');
  }
  wire::AppendFixedIfAny(field.tag, bits, out);
  return true;
}

bool AppendBytes(const Field& field, std::string_view bytes, bool keep_default, std::string* out) {
  if (!bytes.empty() || keep_default) wire::AppendBytes(field.tag, bytes, out);
  return true;
}

// 0 to 15, or -1.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool AppendHex(const Field& field, std::string_view text, bool keep_default, std::string* out) {
  if (text.size() % 2 != 0) return false;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high << 4 | low);
  }
  return AppendBytes(field, bytes, keep_default, out);
}

// 0 to 63, or -1.
int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

bool AppendBase64(const Field& field, std::string_view text, bool keep_default, std::string* out) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  std::string bytes;
  uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes += static_cast<char>(bits >> bit_count & 0xff);
  }
  return AppendBytes(field, bytes, keep_default, out);
}

bool AppendWord(const Field& field, std::string_view word, bool keep_default, std::string* out) {
  const auto found = std::find(field.words.begin(), field.words.end(), word);
  if (found == field.words.end()) return false;
  return AppendVarint(field, static_cast<uint64_t>(found - field.words.begin()), keep_default, out);
}

// A number in a string, as 64-bit integers are written.
bool AppendNumberText(const Field& field, std::string_view text, bool keep_default,
                      std::string* out) {
  const char* const end = text.data() + text.size();
  uint64_t natural = 0;
  if (const auto parsed = std::from_chars(text.data(), end, natural);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return AppendInteger(field, natural, false, keep_default, out);
  }
  int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return AppendInteger(field, static_cast<uint64_t>(integer), integer < 0, keep_default, out);
  }
  double real = 0;
  const auto parsed = std::from_chars(text.data(), end, real);
  // from_chars takes words for infinity that JSON's do not include.
  const bool is_number = !text.empty() && (HexDigit(text.back()) >= 0 || text.back() == '.') &&
                         parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(real);
  return is_number && AppendFloat(field, real, keep_default, out);
}

bool AppendDoubleText(const Field& field, std::string_view text, bool keep_default,
                      std::string* out) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "Infinity") return AppendDouble(field, kInfinity, keep_default, out);
  if (text == "-Infinity") return AppendDouble(field, -kInfinity, keep_default, out);
  if (text == "NaN") {
    return AppendDouble(field, std::numeric_limits<double>::quiet_NaN(), keep_default, out);
  }
  return AppendNumberText(field, text, keep_default, out);
}

}  // namespace

bool AppendBool(const Field& field, bool value, bool keep_default, std::string* out) {
  return field.kind == Kind::kBool && AppendVarint(field, value ? 1 : 0, keep_default, out);
}

bool AppendInteger(const Field& field, uint64_t value, bool is_negative, bool keep_default,
                   std::string* out) {
  const auto as_int64 = static_cast<int64_t>(value);
  const bool fits_int64 = is_negative || as_int64 >= 0;
  switch (field.kind) {
    case Kind::kInt64:
      return fits_int64 && AppendVarint(field, value, keep_default, out);
    case Kind::kEnum:
      return fits_int64 && as_int64 >= INT32_MIN && as_int64 <= INT32_MAX &&
             AppendVarint(field, value, keep_default, out);
    case Kind::kUint32:
      return !is_negative && value <= UINT32_MAX && AppendVarint(field, value, keep_default, out);
    case Kind::kFixed64:
      wire::AppendFixedIfAny(field.tag, value, out);
      return !is_negative;
    case Kind::kFixed32:
      wire::AppendFixedIfAny(field.tag, static_cast<uint32_t>(value), out);
      return !is_negative && value <= UINT32_MAX;
    case Kind::kDouble:
      return AppendDouble(field,
                          is_negative ? static_cast<double>(as_int64) : static_cast<double>(value),
                          keep_default, out);
    default:
      return false;
  }
}

bool AppendFloat(const Field& field, double value, bool keep_default, std::string* out) {
  if (field.kind == Kind::kDouble) return AppendDouble(field, value, keep_default, out);
  // 1e3 and 5.0 are integers too.
  if (std::trunc(value) != value || value < -kTwoTo63 || value >= kTwoTo64) return false;
  const uint64_t bits =
      value < 0 ? static_cast<uint64_t>(static_cast<int64_t>(value)) : static_cast<uint64_t>(value);
  return AppendInteger(field, bits, value < 0, keep_default, out);
}

bool AppendText(const Field& field, std::string_view text, bool keep_default, std::string* out) {
  switch (field.kind) {
    case Kind::kString:
    case Kind::kStrings:
      return AppendBytes(field, text, keep_default, out);
    case Kind::kHex:
      return AppendHex(field, text, keep_default, out);
    case Kind::kBase64:
      return AppendBase64(field, text, keep_default, out);
    case Kind::kEnum:
      return AppendWord(field, text, keep_default, out);
    case Kind::kDouble:
      return AppendDoubleText(field, text, keep_default, out);
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kFixed64:
    case Kind::kFixed32:
      return AppendNumberText(field, text, keep_default, out);
    default:
      return false;
  }
}

}  // namespace larder::otlp_json
