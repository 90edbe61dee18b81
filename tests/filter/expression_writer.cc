#include "tests/filter/expression_writer.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/check.h"

namespace larder {
namespace {

using Type = Constant::Type;

constexpr std::array kOperators = {"",   "and",    "or",   "not",    "eq",      "ne",
                                   "gt", "lt",     "gte",  "lte",    "regex",   "exists",
                                   "in", "not_in", "some", "phrase", "fulltext"};
constexpr std::array kLevels = {"", "span", "resource", "scope", "event", "link"};

// {level, name} in the order of Field.
constexpr std::array<std::pair<const char*, const char*>, 22> kFields = {{
    {"span", "traceID"},         {"span", "spanID"},        {"span", "parentSpanID"},
    {"span", "traceState"},      {"span", "name"},          {"span", "kind"},
    {"span", "startTime"},       {"span", "endTime"},       {"span", "duration"},
    {"span", "status"},          {"span", "statusMessage"}, {"resource", "service"},
    {"resource", "schemaURL"},   {"scope", "name"},         {"scope", "version"},
    {"scope", "schemaURL"},      {"event", "name"},         {"event", "time"},
    {"event", "timeSinceStart"}, {"link", "traceID"},       {"link", "spanID"},
    {"link", "traceState"},
}};

Expression Reference(const Operand& operand) {
  if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
    return {AttributeExpression{attribute->key, kLevels.at(static_cast<size_t>(attribute->level))}};
  }
  const auto& [level, name] = kFields.at(static_cast<size_t>(std::get<FieldRef>(operand).field));
  return {FieldExpression{name, level}};
}

std::string Padded(uint64_t number, int digits) {
  std::string text = std::to_string(number);
  if (text.size() < static_cast<size_t>(digits)) {
    text.insert(0, static_cast<size_t>(digits) - text.size(), '0');
  }
  return text;
}

class Writer {
 public:
  explicit Writer(Random* random) : random_(random) {}

  CallExpression Call(const FilterNode& node) {
    CallExpression call{kOperators.at(static_cast<size_t>(node.op)), {}};
    switch (node.op) {
      case FilterOp::kAnd:
      case FilterOp::kOr:
      case FilterOp::kNot:
        for (const FilterNode& child : node.children) call.args.push_back({Call(child)});
        return call;
      case FilterOp::kSome:
        call.args.push_back(
            {NestedExpression{node.element == FilterNode::Element::kEvent ? "event" : "link"}});
        call.args.push_back({Call(node.children.at(0))});
        return call;
      case FilterOp::kExists:
        call.args.push_back(Reference(node.left));
        return call;
      case FilterOp::kIn:
      case FilterOp::kNotIn:
      case FilterOp::kPhrase:
      case FilterOp::kFulltext:
        call.args.push_back(Reference(node.left));
        call.args.push_back({List(node)});
        return call;
      default:
        return Comparison(node, std::move(call));
    }
  }

 private:
  CallExpression Comparison(const FilterNode& node, CallExpression call) {
    call.args.push_back(Reference(node.left));
    if (const auto* constant = std::get_if<Constant>(&node.right)) {
      const bool beside_field = std::holds_alternative<FieldRef>(node.left);
      call.args.push_back(
          {ScalarExpression{ConstantText(*constant), TypeWord(*constant, beside_field)}});
    } else {
      call.args.push_back(Reference(node.right));
    }
    if (node.op == FilterOp::kRegex || !random_->OneIn(3)) return call;
    std::swap(call.args[0], call.args[1]);
    if (call.op[0] == 'g' || call.op[0] == 'l') call.op[0] = call.op[0] == 'g' ? 'l' : 'g';
    return call;
  }

  ListExpression List(const FilterNode& node) {
    ListExpression list;
    const bool beside_field = std::holds_alternative<FieldRef>(node.left);
    const bool words = node.op == FilterOp::kPhrase || node.op == FilterOp::kFulltext;
    list.type = TypeWord(node.constants.at(0), beside_field || words);
    for (const Constant& constant : node.constants) list.values.push_back(ConstantText(constant));
    return list;
  }

  // Where only text can stand it may be said or not.
  std::string TypeWord(const Constant& constant, bool is_text_anyway) {
    switch (constant.type) {
      case Type::kString:
        return is_text_anyway && random_->OneIn(2) ? "" : "string";
      case Type::kInt:
        return "int";
      case Type::kDouble:
        return "double";
      case Type::kBool:
        return "bool";
      default:
        return "";
    }
  }

  std::string ConstantText(const Constant& constant) {
    switch (constant.type) {
      case Type::kInt:
        if (constant.number >= 0 && random_->OneIn(3))
          return "+0" + std::to_string(constant.number);
        return std::to_string(constant.number);
      case Type::kDouble:
        return DoubleText(constant.real);
      case Type::kBool: {
        static constexpr std::array kYes = {"1", "t", "T", "TRUE", "true", "True"};
        static constexpr std::array kNo = {"0", "f", "F", "FALSE", "false", "False"};
        return constant.number != 0 ? kYes[random_->Below(6)] : kNo[random_->Below(6)];
      }
      case Type::kDuration:
        return DurationText(constant.number);
      case Type::kTime:
        return TimeText(static_cast<uint64_t>(constant.number));
      default:
        return constant.text;
    }
  }

  static std::string DoubleText(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-inf";
    std::array<char, 40> text;
    std::snprintf(text.data(), text.size(), "%.17g", value);
    return text.data();
  }

  std::string DurationText(int64_t ns) {
    static constexpr std::array<std::pair<uint64_t, const char*>, 5> kUnits = {
        {{1, "ns"}, {1000, "us"}, {1000, "\xC2\xB5s"}, {1000, "\xCE\xBCs"}, {1'000'000, "ms"}}};
    constexpr uint64_t kSecond = 1'000'000'000;
    const std::string sign = ns < 0 ? "-" : random_->OneIn(5) ? "+" : "";
    const uint64_t size = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
    const auto& [unit, word] = kUnits[random_->Below(kUnits.size())];
    if (size % unit == 0 && random_->OneIn(2)) return sign + std::to_string(size / unit) + word;
    const uint64_t seconds = size / kSecond;
    const std::string fraction = "." + Padded(size % kSecond, 9) + "s";
    if (random_->OneIn(2)) return sign + std::to_string(seconds) + fraction;
    return sign + std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m" +
           std::to_string(seconds % 60) + fraction;
  }

  std::string TimeText(uint64_t ns) {
    constexpr uint64_t kSecond = 1'000'000'000;
    auto seconds = static_cast<time_t>(ns / kSecond);
    std::string zone = "Z";
    if (random_->OneIn(2)) {
      const uint64_t minutes = random_->Below(24 * 60);
      const bool east = random_->OneIn(2);
      const auto offset = static_cast<time_t>(minutes * 60);
      seconds += east ? offset : -offset;
      zone = (east ? "+" : "-") + Padded(minutes / 60, 2) + ":" + Padded(minutes % 60, 2);
    }
    std::tm parts{};
    LARDER_CHECK(gmtime_r(&seconds, &parts) != nullptr);
    std::array<char, 40> text;
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = ns % kSecond == 0 ? "" : "." + Padded(ns % kSecond, 9);
    return text.data() + fraction + zone;
  }

  Random* const random_;
};

}  // namespace

CallExpression WriteExpression(const FilterNode& filter, Random* random) {
  return Writer(random).Call(filter);
}

}  // namespace larder
