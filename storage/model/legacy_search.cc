// Lowering of Jaeger's search fields to the filter tree. One span must satisfy all of them.
#include <string>
#include <utility>
#include <vector>

#include "storage/model/filter_text.h"
#include "storage/model/query.h"
#include "storage/model/value.h"

namespace larder {
namespace {

constexpr std::string_view kResourcePrefix = "resource.";

FilterNode Not(FilterNode child) { return FilterNode::Group(FilterOp::kNot, {std::move(child)}); }

Constant LegacyText(std::string text) {
  return {.type = Constant::Type::kLegacyText, .text = std::move(text)};
}

Constant Duration(int64_t ns) { return {.type = Constant::Type::kDuration, .number = ns}; }

bool IsText(const Constant& constant) {
  switch (constant.type) {
    case Constant::Type::kInt:
    case Constant::Type::kDouble:
    case Constant::Type::kBool:
    case Constant::Type::kTime:
    case Constant::Type::kDuration:
      return false;
    default:
      return true;
  }
}

// The canonical text of a constant, by which the legacy search compares.
std::string CanonicalText(const Constant& constant) {
  char payload[8];
  switch (constant.type) {
    case Constant::Type::kInt:
    case Constant::Type::kTime:
    case Constant::Type::kDuration:
      __builtin_memcpy(payload, &constant.number, sizeof payload);
      return ValueText(ValueType::kInt, {payload, sizeof payload});
    case Constant::Type::kDouble:
      __builtin_memcpy(payload, &constant.real, sizeof payload);
      return ValueText(ValueType::kDouble, {payload, sizeof payload});
    case Constant::Type::kBool:
      return constant.number != 0 ? "true" : "false";
    default:
      return constant.text;
  }
}

std::string UpperAscii(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Text is compared as text and at the stored type; a typed constant (only a direct client of the
// storage interface sends one) by its text alone, and a double also as a number, since 0 is -0.
FilterNode AttributeEquals(AttributeRef attribute, const Constant& constant) {
  if (IsText(constant)) {
    return FilterNode::Leaf(FilterOp::kEq, std::move(attribute), LegacyText(constant.text));
  }
  FilterNode by_text = FilterNode::Leaf(
      FilterOp::kEq, attribute,
      Constant{.type = Constant::Type::kCanonicalText, .text = CanonicalText(constant)});
  if (constant.type != Constant::Type::kDouble) return by_text;
  return FilterNode::Group(
      FilterOp::kOr,
      {std::move(by_text), FilterNode::Leaf(FilterOp::kEq, std::move(attribute), constant)});
}

FilterNode FieldIs(Field field, std::string_view text) {
  return FilterNode::Leaf(FilterOp::kEq, FieldRef{field},
                          Constant{.type = Constant::Type::kString, .text = std::string(text)});
}

// A field that is empty counts as absent, so a leaf cannot find it.
FilterNode FieldEqualsOrAbsent(Field field, std::string_view text) {
  if (!text.empty()) return FieldIs(field, text);
  return Not(FilterNode::Leaf(FilterOp::kExists, FieldRef{field}));
}

FilterNode StatusIs(const Constant& constant) {
  const std::string word = UpperAscii(CanonicalText(constant));
  if (word == "OK") return FieldIs(Field::kStatus, "ok");
  if (word == "ERROR") return FieldIs(Field::kStatus, "error");
  return FieldIs(Field::kStatus, "unset");
}

FilterNode KindIs(const Constant& constant) {
  const std::string word = UpperAscii(CanonicalText(constant));
  if (word == "CLIENT") return FieldIs(Field::kKind, "client");
  if (word == "SERVER") return FieldIs(Field::kKind, "server");
  if (word == "PRODUCER") return FieldIs(Field::kKind, "producer");
  if (word == "CONSUMER") return FieldIs(Field::kKind, "consumer");
  if (word == "INTERNAL") return FieldIs(Field::kKind, "internal");
  return FieldIs(Field::kKind, "unspecified");
}

// `error=true`: an Error status, or an attribute error that says true; `error=false`: its
// complement. Any other value can only be an attribute of that name.
FilterNode ErrorIs(const Constant& constant) {
  const bool may_be_bool = IsText(constant) || constant.type == Constant::Type::kBool;
  const std::optional<bool> truth =
      may_be_bool ? ParseBoolText(CanonicalText(constant)) : std::nullopt;
  const AttributeRef attribute{"error", AttributeLevel::kAny};
  if (!truth) return AttributeEquals(attribute, constant);
  FilterNode failed = FilterNode::Group(
      FilterOp::kOr,
      {FieldIs(Field::kStatus, "error"), AttributeEquals(attribute, LegacyText("true"))});
  return *truth ? failed : Not(std::move(failed));
}

FilterNode LowerAttribute(const std::string& key, const Constant& constant) {
  if (key == "error") return ErrorIs(constant);
  if (key == "span.status") return StatusIs(constant);
  if (key == "span.kind") return KindIs(constant);
  if (key == "scope.name") return FieldEqualsOrAbsent(Field::kScopeName, CanonicalText(constant));
  if (key == "scope.version") {
    return FieldEqualsOrAbsent(Field::kScopeVersion, CanonicalText(constant));
  }
  if (key.starts_with(kResourcePrefix)) {
    return AttributeEquals({key.substr(kResourcePrefix.size()), AttributeLevel::kResource},
                           constant);
  }
  return AttributeEquals({key, AttributeLevel::kAny}, constant);
}

}  // namespace

FilterNode LowerLegacySearch(const LegacySearch& search) {
  std::vector<FilterNode> children;
  if (!search.service.empty()) children.push_back(FieldIs(Field::kResourceService, search.service));
  if (!search.operation.empty()) children.push_back(FieldIs(Field::kName, search.operation));
  if (search.duration_min_ns != 0) {
    children.push_back(FilterNode::Leaf(FilterOp::kGte, FieldRef{Field::kDuration},
                                        Duration(search.duration_min_ns)));
  }
  if (search.duration_max_ns != 0) {
    children.push_back(FilterNode::Leaf(FilterOp::kLte, FieldRef{Field::kDuration},
                                        Duration(search.duration_max_ns)));
  }
  for (const auto& [key, constant] : search.attributes) {
    children.push_back(LowerAttribute(key, constant));
  }
  return FilterNode::Group(FilterOp::kAnd, std::move(children));
}

}  // namespace larder
