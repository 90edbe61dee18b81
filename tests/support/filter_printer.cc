// Filter trees as text, for the messages of failed tests.
#include <array>
#include <string>

#include "storage/model/table/span_filter.h"
#include "tests/support/filter_generator.h"

namespace larder {
namespace {

constexpr std::array kOps = {"true", "and",    "or",   "not",    "eq",      "ne",
                             "gt",   "lt",     "gte",  "lte",    "regex",   "exists",
                             "in",   "not_in", "some", "phrase", "fulltext"};
constexpr std::array kLevels = {"span|resource", "span", "resource", "scope",
                                "event",         "link", "any"};
constexpr std::array kTypes = {"untyped", "string",    "int",  "double",  "bool",
                               "legacy",  "canonical", "time", "duration"};

std::string ConstantText(const Constant& constant) {
  std::string text = kTypes.at(static_cast<size_t>(constant.type));
  text += ":";
  switch (constant.type) {
    case Constant::Type::kDouble:
      return text + std::to_string(constant.real);
    case Constant::Type::kInt:
    case Constant::Type::kBool:
    case Constant::Type::kTime:
    case Constant::Type::kDuration:
      return text + std::to_string(constant.number);
    default:
      return text + "\"" + constant.text + "\" (" + HexText(constant.text) + ")";
  }
}

std::string OperandText(const Operand& operand) {
  if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
    return std::string(kLevels.at(static_cast<size_t>(attribute->level))) + "[\"" + attribute->key +
           "\"]";
  }
  if (const auto* field = std::get_if<FieldRef>(&operand)) {
    return "field" + std::to_string(static_cast<int>(field->field));
  }
  return ConstantText(std::get<Constant>(operand));
}

}  // namespace

std::string FilterToText(const FilterNode& filter) {
  std::string text = kOps.at(static_cast<size_t>(filter.op));
  text += "(";
  switch (filter.op) {
    case FilterOp::kTrue:
    case FilterOp::kAnd:
    case FilterOp::kOr:
    case FilterOp::kNot:
      break;
    case FilterOp::kSome:
      text += filter.element == FilterNode::Element::kEvent ? "event " : "link ";
      break;
    default:
      text += OperandText(filter.left) + ", " + OperandText(filter.right);
      for (const Constant& constant : filter.constants) text += " | " + ConstantText(constant);
  }
  for (const FilterNode& child : filter.children) text += FilterToText(child) + " ";
  return text + ")";
}

}  // namespace larder
