// The text of a value as pdata's Value.AsString writes it (OpenTelemetry Collector,
// pdata/pcommon/value.go):
//   string          as it is
//   bool, int       true or false; decimal
//   double          as ECMAScript 6 writes numbers: shortest digits that read back the same, plain
//                   from 1e-6 to below 1e21, else with an exponent
//   bytes           standard base64 with padding
//   array, kvlist   compact JSON, object keys sorted, of two equal keys the last; nothing at all
//                   when a number inside is not finite, which JSON cannot say
//   empty           nothing (null inside JSON)
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>

#include "storage/model/otlp_fields.h"
#include "storage/model/value.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// False, here and below: JSON cannot say it.
bool AppendValueJson(ValueType type, std::string_view payload, uint32_t nesting_left,
                     std::string* out);

void AppendInt(std::string_view payload, std::string* out) {
  int64_t value = 0;
  std::memcpy(&value, payload.data(), sizeof value);
  *out += std::to_string(value);
}

// "-1.25e+03" as "-1250". to_chars' own plain form is exact instead of shortest from 2^53 on.
std::string PlainNotation(const std::string& scientific) {
  const bool negative = scientific.front() == '-';
  const size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  std::string digits;
  for (const char c : std::string_view(scientific).substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string plain;
  if (exponent < 0) {
    plain = "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else {
    const size_t whole = static_cast<size_t>(exponent) + 1;
    if (digits.size() < whole) digits.resize(whole, '0');
    plain = digits.substr(0, whole);
    if (digits.size() > whole) plain += "." + digits.substr(whole);
  }
  return negative ? "-" + plain : plain;
}

void AppendDouble(std::string_view payload, std::string* out) {
  double value = 0;
  std::memcpy(&value, payload.data(), sizeof value);
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    *out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  const double magnitude = std::fabs(value);
  char buffer[64];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, written.ptr);
  if (magnitude == 0) {
    text.resize(text.find('e'));
  } else if (magnitude >= 1e-6 && magnitude < 1e21) {
    text = PlainNotation(text);
  } else if (text.find('e') == text.size() - 4 && text[text.size() - 2] == '0') {
    text.erase(text.size() - 2, 1);  // to_chars pads the exponent to two digits
  }
  *out += text;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      *out += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
}

// Length of the well-formed UTF-8 character at the front of `text` (Unicode 15, table 3-7), or 0.
size_t Utf8CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool too_large = lead == 0xf4 && byte(1) > 0x8f;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

void AppendControlJson(char character, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (character) {
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  *out += "\\u00";
  *out += kHex[static_cast<uint8_t>(character) >> 4];
  *out += kHex[static_cast<uint8_t>(character) & 15];
}

// As Go's encoding/json: a byte that is not UTF-8 becomes \ufffd, and the two Unicode line ends are
// escaped.
void AppendStringJson(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    const size_t size = Utf8CharacterSize(text);
    const std::string_view character = text.substr(0, std::max<size_t>(size, 1));
    if (size == 0) {
      *out += "\\ufffd";
    } else if (character == "\u2028" || character == "\u2029") {
      *out += character == "\u2028" ? "\\u2028" : "\\u2029";
    } else if (static_cast<uint8_t>(character[0]) < 0x20) {
      AppendControlJson(character[0], out);
    } else {
      if (character == "\"" || character == "\\") *out += '\\';
      *out += character;
    }
    text.remove_prefix(character.size());
  }
  *out += '"';
}

// A KeyValue around an AnyValue, so that one reader serves both.
std::string WrapAnyValue(std::string_view any_value) {
  std::string key_value;
  wire::AppendBytes(otlp::key_value::kValue, any_value, &key_value);
  return key_value;
}

bool AppendArrayJson(std::string_view payload, uint32_t nesting_left, std::string* out) {
  *out += '[';
  bool first = true;
  wire::Reader reader(payload);
  while (reader.NextField(otlp::list::kValues)) {
    if (!first) *out += ',';
    first = false;
    char scratch[8];
    const std::string key_value = WrapAnyValue(reader.View());
    const Result<AttributeView> element = InterpretKeyValue(key_value, scratch);
    if (!element.ok()) continue;
    if (!AppendValueJson(element->type, element->payload, nesting_left, out)) return false;
  }
  *out += ']';
  return true;
}

bool AppendKvListJson(std::string_view payload, uint32_t nesting_left, std::string* out) {
  std::map<std::string_view, std::string> members;
  wire::Reader reader(payload);
  while (reader.NextField(otlp::list::kValues)) {
    char scratch[8];
    const Result<AttributeView> member = InterpretKeyValue(reader.View(), scratch);
    if (!member.ok()) continue;
    std::string json;
    if (!AppendValueJson(member->type, member->payload, nesting_left, &json)) return false;
    members[member->key] = std::move(json);
  }
  *out += '{';
  for (bool first = true; const auto& [key, json] : members) {
    if (!first) *out += ',';
    first = false;
    AppendStringJson(key, out);
    *out += ':';
    *out += json;
  }
  *out += '}';
  return true;
}

void AppendText(ValueType type, std::string_view payload, std::string* out) {
  switch (type) {
    case ValueType::kEmpty:
      break;
    case ValueType::kString:
      *out += payload;
      break;
    case ValueType::kBool:
      *out += payload[0] != 0 ? "true" : "false";
      break;
    case ValueType::kInt:
      AppendInt(payload, out);
      break;
    case ValueType::kDouble:
      AppendDouble(payload, out);
      break;
    case ValueType::kBytes:
      AppendBase64(payload, out);
      break;
    case ValueType::kArray:
      if (!AppendArrayJson(payload, kNestingMax, out)) out->clear();
      break;
    case ValueType::kKvList:
      if (!AppendKvListJson(payload, kNestingMax, out)) out->clear();
      break;
    case ValueType::kRaw: {
      char scratch[8];
      const Result<AttributeView> meant = InterpretKeyValue(payload, scratch);
      if (meant.ok()) AppendText(meant->type, meant->payload, out);
      break;
    }
  }
}

bool IsFinite(std::string_view payload) {
  double value = 0;
  std::memcpy(&value, payload.data(), sizeof value);
  return std::isfinite(value);
}

bool AppendValueJson(ValueType type, std::string_view payload, uint32_t nesting_left,
                     std::string* out) {
  if (type == ValueType::kArray && nesting_left > 0) {
    return AppendArrayJson(payload, nesting_left - 1, out);
  }
  if (type == ValueType::kKvList && nesting_left > 0) {
    return AppendKvListJson(payload, nesting_left - 1, out);
  }
  if (type == ValueType::kEmpty || nesting_left == 0) {
    *out += "null";
  } else if (type == ValueType::kString) {
    AppendStringJson(payload, out);
  } else if (type == ValueType::kBytes) {
    *out += '"';
    AppendBase64(payload, out);
    *out += '"';
  } else if (type == ValueType::kDouble && !IsFinite(payload)) {
    return false;
  } else {
    AppendText(type, payload, out);
  }
  return true;
}

}  // namespace

std::string ValueText(ValueType type, std::string_view payload) {
  std::string text;
  try {
    AppendText(type, payload, &text);
  } catch (const protozero::exception&) {
    text.clear();
  }
  return text;
}

}  // namespace larder
