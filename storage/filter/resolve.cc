#include "storage/filter/resolve.h"

#include <string>
#include <utility>

#include "storage/filter/operands.h"
#include "storage/filter/pattern_rules.h"
#include "storage/filter/vocabulary.h"
#include "storage/model/filter_text.h"
#include "storage/model/text_pattern.h"

namespace larder {
namespace {

bool IsOrdered(FilterOp op) {
  return op == FilterOp::kGt || op == FilterOp::kLt || op == FilterOp::kGte || op == FilterOp::kLte;
}

// Whether `time op moment` holds for every time there is, when the moment lies beside them all.
bool HoldsBeside(FilterOp op, Moment::Place place) {
  if (op == FilterOp::kNe) return true;
  const bool greater = op == FilterOp::kGt || op == FilterOp::kGte;
  const bool less = op == FilterOp::kLt || op == FilterOp::kLte;
  return place == Moment::Place::kBeforeAll ? greater : less;
}

// Which collections `some` has bound around a call.
struct Bound {
  bool event = false;
  bool link = false;
};

class Resolver {
 public:
  Result<FilterNode> Call(const CallExpression& call, const ExpressionPath* path, size_t depth,
                          Bound bound) {
    if (depth > kFilterDepthMax) {
      return RefusedAt(path, "calls lie more than " + std::to_string(kFilterDepthMax) + " deep");
    }
    const std::optional<FilterOp> op = OperatorOfWord(call.op);
    if (!op) return RefusedAt(path, "unknown operator " + QuotedWord(call.op));
    LARDER_RETURN_IF_ERROR(CheckCount(*op, call.args.size(), path));
    switch (*op) {
      case FilterOp::kAnd:
      case FilterOp::kOr:
      case FilterOp::kNot:
        return Group(*op, call, path, depth, bound);
      case FilterOp::kSome:
        return Some(call, path, depth, bound);
      case FilterOp::kExists:
        return Exists(call, path);
      case FilterOp::kRegex:
        return Regex(call, path);
      case FilterOp::kIn:
      case FilterOp::kNotIn:
        return Membership(*op, call, path);
      case FilterOp::kPhrase:
      case FilterOp::kFulltext:
        return Words(*op, call, path);
      default:
        return Comparison(*op, call, path);
    }
  }

 private:
  static Status CheckCount(FilterOp op, size_t count, const ExpressionPath* path) {
    const bool group = op == FilterOp::kAnd || op == FilterOp::kOr;
    const size_t wanted = op == FilterOp::kNot || op == FilterOp::kExists ? 1 : 2;
    if (group ? count >= wanted : count == wanted) return Status::Ok();
    return RefusedAt(path, std::string(OperatorWord(op)) + " takes " + std::to_string(wanted) +
                               (group         ? " arguments or more"
                                : wanted == 1 ? " argument"
                                              : " arguments") +
                               ", not " + std::to_string(count));
  }

  Result<FilterNode> Condition(const CallExpression& call, size_t index, const ExpressionPath* path,
                               size_t depth, Bound bound) {
    const ExpressionPath here{path, index};
    const auto* condition = std::get_if<CallExpression>(&call.args[index].term);
    if (condition == nullptr) return RefusedAt(&here, "a call must stand here");
    return Call(*condition, &here, depth + 1, bound);
  }

  Result<FilterNode> Group(FilterOp op, const CallExpression& call, const ExpressionPath* path,
                           size_t depth, Bound bound) {
    FilterNode group;
    group.op = op;
    for (size_t i = 0; i < call.args.size(); ++i) {
      LARDER_ASSIGN_OR_RETURN(FilterNode child, Condition(call, i, path, depth, bound));
      group.children.push_back(std::move(child));
    }
    return group;
  }

  Result<FilterNode> Some(const CallExpression& call, const ExpressionPath* path, size_t depth,
                          Bound bound) {
    const ExpressionPath here{path, 0};
    const auto* nested = std::get_if<NestedExpression>(&call.args[0].term);
    if (nested == nullptr) return RefusedAt(&here, "some takes nested events or links first");
    const bool event = nested->level == "event";
    if (!event && nested->level != "link") {
      return RefusedAt(&here, "nested is of level event or link, not " + QuotedWord(nested->level));
    }
    bool& is_bound = event ? bound.event : bound.link;
    if (is_bound) return RefusedAt(path, "some within some over the same level");
    is_bound = true;
    FilterNode some;
    some.op = FilterOp::kSome;
    some.element = event ? FilterNode::Element::kEvent : FilterNode::Element::kLink;
    LARDER_ASSIGN_OR_RETURN(FilterNode condition, Condition(call, 1, path, depth, bound));
    some.children.push_back(std::move(condition));
    return some;
  }

  static Result<FilterNode> Exists(const CallExpression& call, const ExpressionPath* path) {
    const ExpressionPath here{path, 0};
    LARDER_ASSIGN_OR_RETURN(const ComparisonSide side, ResolveReference(call.args[0], &here));
    return FilterNode::Leaf(FilterOp::kExists, side.reference());
  }

  static Result<FilterNode> Comparison(FilterOp op, const CallExpression& call,
                                       const ExpressionPath* path) {
    const ExpressionPath first{path, 0};
    const ExpressionPath second{path, 1};
    LARDER_ASSIGN_OR_RETURN(ComparisonSide left, ResolveSide(call.args[0], &first));
    LARDER_ASSIGN_OR_RETURN(ComparisonSide right, ResolveSide(call.args[1], &second));
    if (left.is_constant() && right.is_constant()) {
      return RefusedAt(path, "two constants; one side must be an attribute or a field");
    }
    const bool known =
        left.domain != FilterDomain::kUnknown && right.domain != FilterDomain::kUnknown;
    if (known && left.domain != right.domain) {
      return RefusedAt(path,
                       "the two sides are of types that do not compare (a duration or a time "
                       "is written as a constant without a type)");
    }
    if (IsOrdered(op) && !(left.has_order && right.has_order)) {
      return RefusedAt(path, "kinds, statuses and booleans have no order");
    }
    const ExpressionPath* constant_path = &second;
    if (left.is_constant()) {
      std::swap(left, right);
      op = Mirror(op);
      constant_path = &first;
    }
    FilterNode leaf = FilterNode::Leaf(op, left.reference());
    if (!right.is_constant()) {
      leaf.right = right.reference();
      return leaf;
    }
    const ScalarExpression& scalar = *std::get<const ScalarExpression*>(right.term);
    LARDER_ASSIGN_OR_RETURN(ResolvedConstant resolved,
                            ResolveConstant(scalar.value, scalar.type, left, constant_path));
    if (resolved.place != Moment::Place::kWithin) {
      // Every value or none; exists and the empty list say so and keep the rule for absent ones.
      return FilterNode::Leaf(HoldsBeside(op, resolved.place) ? FilterOp::kExists : FilterOp::kIn,
                              left.reference());
    }
    leaf.right = std::move(resolved.constant);
    return leaf;
  }

  // The list that stands second.
  static Result<const ListExpression*> List(const CallExpression& call,
                                            const ExpressionPath* here) {
    const auto* list = std::get_if<ListExpression>(&call.args[1].term);
    if (list == nullptr) return RefusedAt(here, "a list must stand here");
    if (list->values.empty()) return RefusedAt(here, "the list is empty");
    return list;
  }

  static Result<FilterNode> Membership(FilterOp op, const CallExpression& call,
                                       const ExpressionPath* path) {
    const ExpressionPath first{path, 0};
    const ExpressionPath second{path, 1};
    LARDER_ASSIGN_OR_RETURN(const ComparisonSide side, ResolveReference(call.args[0], &first));
    LARDER_ASSIGN_OR_RETURN(const ListExpression* list, List(call, &second));
    LARDER_ASSIGN_OR_RETURN(const FilterDomain domain, DomainOfType(list->type, &second));
    const bool known = side.domain != FilterDomain::kUnknown && domain != FilterDomain::kUnknown;
    if (known && side.domain != domain) {
      return RefusedAt(&second,
                       "the list's type does not compare with the field (durations and "
                       "times are written without a type)");
    }
    FilterNode leaf = FilterNode::Leaf(op, side.reference());
    for (const std::string& value : list->values) {
      LARDER_ASSIGN_OR_RETURN(ResolvedConstant resolved,
                              ResolveConstant(value, list->type, side, &second));
      // No span's time is equal to one that lies beside them all.
      if (resolved.place != Moment::Place::kWithin) continue;
      leaf.constants.push_back(std::move(resolved.constant));
    }
    return leaf;
  }

  Result<FilterNode> Regex(const CallExpression& call, const ExpressionPath* path) {
    const ExpressionPath first{path, 0};
    const ExpressionPath second{path, 1};
    LARDER_ASSIGN_OR_RETURN(const ComparisonSide side, ResolveReference(call.args[0], &first));
    if (side.domain == FilterDomain::kDuration || side.domain == FilterDomain::kTime) {
      return RefusedAt(&first, "durations and times are no text");
    }
    const auto* scalar = std::get_if<ScalarExpression>(&call.args[1].term);
    if (scalar == nullptr || (!scalar->type.empty() && scalar->type != "string")) {
      return RefusedAt(&second, "the pattern must be a scalar of type string or of none");
    }
    if (++patterns_ > kPatternsMax) {
      return RefusedAt(path, "more than " + std::to_string(kPatternsMax) + " patterns");
    }
    Constant pattern;
    pattern.type = scalar->type.empty() ? Constant::Type::kUntyped : Constant::Type::kString;
    Result<std::string> checked = CheckPattern(scalar->value);
    if (!checked.ok()) return RefusedAt(&second, checked.status().message());
    pattern.text = std::move(checked).value();
    const Result<TextPattern> compiled = TextPattern::Compile(pattern.text);
    if (!compiled.ok()) return RefusedAt(&second, compiled.status().message());
    FilterNode leaf = FilterNode::Leaf(FilterOp::kRegex, side.reference());
    leaf.right = std::move(pattern);
    return leaf;
  }

  static Result<FilterNode> Words(FilterOp op, const CallExpression& call,
                                  const ExpressionPath* path) {
    const ExpressionPath first{path, 0};
    const ExpressionPath second{path, 1};
    LARDER_ASSIGN_OR_RETURN(const ComparisonSide side, ResolveReference(call.args[0], &first));
    if (!std::holds_alternative<AttributeRef>(side.term)) {
      return RefusedAt(&first, "text is searched in attributes only");
    }
    LARDER_ASSIGN_OR_RETURN(const ListExpression* list, List(call, &second));
    if (!list->type.empty() && list->type != "string") {
      return RefusedAt(&second, "words are of type string or of none");
    }
    FilterNode leaf = FilterNode::Leaf(op, side.reference());
    for (const std::string& value : list->values) {
      if (!IsWord(value, kWordUnitsMax)) {
        return RefusedAt(&second, QuotedWord(value) +
                                      " is not one word of letters, digits and marks, at most " +
                                      std::to_string(kWordUnitsMax) + " UTF-16 code units long");
      }
      Constant word;
      word.type = Constant::Type::kString;
      word.text = value;
      leaf.constants.push_back(std::move(word));
    }
    return leaf;
  }

  size_t patterns_ = 0;
};

}  // namespace

Result<FilterNode> ResolveFilter(const CallExpression& filter) {
  return Resolver().Call(filter, nullptr, 1, {});
}

}  // namespace larder
