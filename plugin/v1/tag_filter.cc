#include "plugin/v1/tag_filter.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "plugin/services/requests.h"
#include "plugin/v1/model_fields.h"
#include "storage/model/filter_text.h"
#include "storage/model/value.h"
#include "storage/query/traces/trace_warning.h"

namespace larder::v1 {
namespace {

using Type = Constant::Type;

constexpr int kDigits = 10;  // of a double

FilterNode Leaf(FilterOp op, Operand left, Constant right) {
  FilterNode leaf;
  leaf.op = op;
  leaf.left = std::move(left);
  leaf.right = std::move(right);
  return leaf;
}
FilterNode Group(FilterOp op, std::vector<FilterNode> children) {
  FilterNode group;
  group.op = op;
  group.children = std::move(children);
  return group;
}
Constant Text(Type type, std::string_view text) {
  Constant constant;
  constant.type = type;
  constant.text = text;
  return constant;
}
Constant Integer(Type type, int64_t number) {
  Constant constant;
  constant.type = type;
  constant.number = number;
  return constant;
}
Constant Real(double real) {
  Constant constant;
  constant.type = Type::kDouble;
  constant.real = real;
  return constant;
}

// Where the attributes lie that are tags of that key in v1, its process and its logs included. The
// name of the service and the warnings are none there.
std::vector<AttributeLevel> LevelsOf(std::string_view key) {
  if (key == kServiceNameKey) return {AttributeLevel::kSpan, AttributeLevel::kEvent};
  if (key == kWarningsKey) return {AttributeLevel::kResource, AttributeLevel::kEvent};
  return {AttributeLevel::kSpanOrResource, AttributeLevel::kEvent};
}

// The field that a tag stands for, with the value that it must have; nothing when there is none.
std::optional<std::pair<Field, std::string_view>> FieldOf(std::string_view key,
                                                          std::string_view value) {
  using FieldAndText = std::pair<Field, std::string_view>;
  if (value.empty()) return std::nullopt;  // an empty field shows no tag
  if (key == kSpanKindKey && KindNumber(value) > 0) return FieldAndText{Field::kKind, value};
  if (key == kErrorKey && value == "true") return FieldAndText{Field::kStatus, "error"};
  if (key == kStatusCodeKey && value == kStatusOk) return FieldAndText{Field::kStatus, "ok"};
  if (key == kStatusCodeKey && value == kStatusError) return FieldAndText{Field::kStatus, "error"};
  if (key == kStatusDescriptionKey) return FieldAndText{Field::kStatusMessage, value};
  if (key == kScopeNameKey) return FieldAndText{Field::kScopeName, value};
  if (key == kScopeVersionKey) return FieldAndText{Field::kScopeVersion, value};
  if (key == kTraceStateKey) return FieldAndText{Field::kTraceState, value};
  if (key == kEventKey) return FieldAndText{Field::kEventName, value};
  return std::nullopt;
}

std::string TenDigits(double value) {
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*g", kDigits, value);
  return {text.data(), static_cast<size_t>(size)};
}

// The double farthest from `inside` on the way to `outside` that has that text. Both have one sign,
// so that their bits are in order.
double FarthestWithText(double inside, double outside, std::string_view text) {
  auto in = std::bit_cast<uint64_t>(inside);
  auto out = std::bit_cast<uint64_t>(outside);
  while ((in > out ? in - out : out - in) > 1) {
    const uint64_t middle = in / 2 + out / 2 + (in & out & 1);
    (TenDigits(std::bit_cast<double>(middle)) == text ? in : out) = middle;
  }
  return std::bit_cast<double>(in);
}

std::optional<std::string> BytesOfHex(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  if (text.empty() || text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const size_t high = kHex.find(text[i]);
    const size_t low = kHex.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void AddDoubles(const AttributeRef& attribute, std::string_view text,
                std::vector<FilterNode>* any) {
  const std::optional<DoubleRange> range = DoublesOfText(text);
  if (range && range->low == range->high) {
    any->push_back(Leaf(FilterOp::kEq, attribute, Real(range->low)));
  } else if (range) {
    any->push_back(Group(FilterOp::kAnd, {Leaf(FilterOp::kGte, attribute, Real(range->low)),
                                          Leaf(FilterOp::kLte, attribute, Real(range->high))}));
  }
}

// Bytes are compared by their canonical text, which is base64. A string of that text is none.
void AddBytes(const AttributeRef& attribute, std::string_view text, std::vector<FilterNode>* any) {
  const std::optional<std::string> bytes = BytesOfHex(text);
  if (!bytes) return;
  const std::string base64 = ValueText(ValueType::kBytes, *bytes);
  FilterNode is_string = Leaf(FilterOp::kEq, attribute, Text(Type::kString, base64));
  any->push_back(
      Group(FilterOp::kAnd, {Leaf(FilterOp::kEq, attribute, Text(Type::kCanonicalText, base64)),
                             Group(FilterOp::kNot, {std::move(is_string)})}));
}

bool MayBeBase64(std::string_view text) { return text.size() % 4 == 0; }

// The attribute has a value of that text.
void AddAttribute(const AttributeRef& attribute, std::string_view text,
                  std::vector<FilterNode>* any) {
  // Arrays and lists are strings in v1, what is empty is an empty one, and bytes that came by OTLP
  // were in base64 up to v1.64 or so.
  const bool may_be_text = MayBeBase64(text) || text[0] == '[' || text[0] == '{';
  const Type as_text = may_be_text ? Type::kCanonicalText : Type::kString;
  any->push_back(Leaf(FilterOp::kEq, attribute, Text(as_text, text)));
  if (const auto number = ParseIntText(text); number && std::to_string(*number) == text) {
    any->push_back(Leaf(FilterOp::kEq, attribute, Integer(Type::kInt, *number)));
  }
  if (text == "true" || text == "false") {
    any->push_back(Leaf(FilterOp::kEq, attribute, Integer(Type::kBool, text == "true" ? 1 : 0)));
  }
  AddDoubles(attribute, text, any);
  AddBytes(attribute, text, any);
}

}  // namespace

std::optional<DoubleRange> DoublesOfText(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "+Inf") return DoubleRange{kInfinity, kInfinity};
  if (text == "-Inf") return DoubleRange{-kInfinity, -kInfinity};
  const std::optional<double> value = ParseDoubleText(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  if (TenDigits(*value) != text) {
    const std::string payload(reinterpret_cast<const char*>(&*value), sizeof *value);
    if (ValueText(ValueType::kDouble, payload) != text) return std::nullopt;
    return DoubleRange{*value, *value};
  }
  if (*value == 0) return DoubleRange{0, 0};
  // The last of ten digits is worth less than this, and half of it is as far as rounding goes.
  const double step = std::abs(*value) * std::pow(10, 1 - kDigits);
  return DoubleRange{FarthestWithText(*value, *value - step, text),
                     FarthestWithText(*value, *value + step, text)};
}

FilterNode LowerTag(const std::string& key, const std::string& value) {
  FilterNode any = Group(FilterOp::kOr, {});
  for (const AttributeLevel level : LevelsOf(key)) {
    AddAttribute(AttributeRef{key, level}, value, &any.children);
  }
  if (const auto field = FieldOf(key, value)) {
    any.children.push_back(
        Leaf(FilterOp::kEq, FieldRef{field->first}, Text(Type::kString, field->second)));
  }
  return any;
}

}  // namespace larder::v1
