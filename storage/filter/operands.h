// The operands of a leaf: references and constants, checked and given the types that they are
// compared at.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "storage/base/status.h"
#include "storage/filter/expression.h"
#include "storage/filter/expression_path.h"
#include "storage/filter/time_text.h"
#include "storage/filter/vocabulary.h"
#include "storage/model/filter.h"

namespace larder {

// One side of a comparison: an attribute, a field, or a constant still to be resolved beside the
// other side. Borrows the scalar.
struct ComparisonSide {
  std::variant<AttributeRef, FieldRef, const ScalarExpression*> term;
  FilterDomain domain = FilterDomain::kUnknown;
  bool has_order = true;  // kinds, statuses and booleans have none

  bool is_constant() const { return std::holds_alternative<const ScalarExpression*>(term); }
  Operand reference() const;  // REQUIRES: !is_constant()
};

// An attribute, a field or a scalar; kInvalidArgument for anything else, for an empty key, an
// unknown level, field or type, and for a typed scalar that does not parse.
Result<ComparisonSide> ResolveSide(const Expression& expression, const ExpressionPath* path);

// The same, but a reference only.
Result<ComparisonSide> ResolveReference(const Expression& expression, const ExpressionPath* path);

// A constant as it is compared with what stands beside it. A moment before 1970 or after the last
// nanosecond that 64 bits count lies beside every span's times and is no constant of the tree.
struct ResolvedConstant {
  Constant constant;
  Moment::Place place = Moment::Place::kWithin;
};

// Text of a type ("" or a known one) beside an attribute or a field. kInvalidArgument: it does not
// parse as its type, or as the field's.
Result<ResolvedConstant> ResolveConstant(std::string_view text, std::string_view type,
                                         const ComparisonSide& beside, const ExpressionPath* path);

// The domain of a constant's type; kUnknown for "". kInvalidArgument: an unknown type.
Result<FilterDomain> DomainOfType(std::string_view type, const ExpressionPath* path);

}  // namespace larder
