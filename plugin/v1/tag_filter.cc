#include "plugin/v1/tag_filter.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "plugin/services/requests.h"
#include "plugin/v1/double_text.h"
#include "plugin/v1/model_fields.h"
#include "storage/model/filter_text.h"
#include "storage/model/value.h"
#include "storage/query/traces/trace_warning.h"

namespace larder::v1 {
namespace {

using Type = Constant::Type;

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

FilterNode Equals(Operand left, Constant right) {
  return FilterNode::Leaf(FilterOp::kEq, std::move(left), std::move(right));
}

void AddDoubles(const AttributeRef& attribute, std::string_view text,
                std::vector<FilterNode>* any) {
  const std::optional<DoubleRange> range = DoublesOfText(text);
  if (!range) return;
  const Constant low{.type = Type::kDouble, .real = range->low};
  const Constant high{.type = Type::kDouble, .real = range->high};
  any->push_back(
      range->low == range->high
          ? Equals(attribute, low)
          : FilterNode::Group(FilterOp::kAnd, {FilterNode::Leaf(FilterOp::kGte, attribute, low),
                                               FilterNode::Leaf(FilterOp::kLte, attribute, high)}));
}

// Bytes are compared by their canonical text, which is base64. A string of that text is none.
void AddBytes(const AttributeRef& attribute, std::string_view text, std::vector<FilterNode>* any) {
  const std::optional<std::string> bytes = BytesOfHex(text);
  if (!bytes) return;
  const std::string base64 = ValueText(ValueType::kBytes, *bytes);
  FilterNode is_string = Equals(attribute, {.type = Type::kString, .text = base64});
  any->push_back(FilterNode::Group(
      FilterOp::kAnd, {Equals(attribute, {.type = Type::kCanonicalText, .text = base64}),
                       FilterNode::Group(FilterOp::kNot, {std::move(is_string)})}));
}

bool MayBeBase64(std::string_view text) { return text.size() % 4 == 0; }

// The attribute has a value of that text.
void AddAttribute(const AttributeRef& attribute, std::string_view text,
                  std::vector<FilterNode>* any) {
  // Arrays and lists are strings in v1, what is empty is an empty one, and bytes that came by OTLP
  // were in base64 up to v1.64 or so.
  const bool may_be_text = MayBeBase64(text) || text[0] == '[' || text[0] == '{';
  const Type as_text = may_be_text ? Type::kCanonicalText : Type::kString;
  any->push_back(Equals(attribute, {.type = as_text, .text = std::string(text)}));
  if (const auto number = ParseIntText(text); number && std::to_string(*number) == text) {
    any->push_back(Equals(attribute, {.type = Type::kInt, .number = *number}));
  }
  if (text == "true" || text == "false") {
    any->push_back(Equals(attribute, {.type = Type::kBool, .number = text == "true" ? 1 : 0}));
  }
  AddDoubles(attribute, text, any);
  AddBytes(attribute, text, any);
}

}  // namespace

FilterNode LowerTag(const std::string& key, const std::string& value) {
  std::vector<FilterNode> any;
  for (const AttributeLevel level : LevelsOf(key)) {
    AddAttribute(AttributeRef{key, level}, value, &any);
  }
  if (const auto field = FieldOf(key, value)) {
    any.push_back(Equals(FieldRef{field->first},
                         {.type = Type::kString, .text = std::string(field->second)}));
  }
  return FilterNode::Group(FilterOp::kOr, std::move(any));
}

}  // namespace larder::v1
