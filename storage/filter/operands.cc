#include "storage/filter/operands.h"

#include <utility>

#include "storage/model/filter_text.h"

namespace larder {
namespace {

Status DoesNotParse(std::string_view text, std::string_view what, const ExpressionPath* path) {
  return RefusedAt(path, QuotedWord(text) + " is not " + std::string(what));
}

Result<Constant> TypedConstant(std::string_view text, std::string_view type,
                               const ExpressionPath* path) {
  Constant constant;
  constant.text = text;
  if (type == "string") constant.type = Constant::Type::kString;
  if (type == "int") {
    const std::optional<int64_t> number = ParseIntText(text);
    if (!number) return DoesNotParse(text, "a 64-bit int", path);
    constant.type = Constant::Type::kInt;
    constant.number = *number;
  }
  if (type == "double") {
    const std::optional<double> real = ParseDoubleText(text);
    if (!real) return DoesNotParse(text, "a double", path);
    constant.type = Constant::Type::kDouble;
    constant.real = *real;
  }
  if (type == "bool") {
    const std::optional<bool> truth = ParseBoolText(text);
    if (!truth) return DoesNotParse(text, "a bool", path);
    constant.type = Constant::Type::kBool;
    constant.number = *truth ? 1 : 0;
  }
  return constant;
}

Result<ComparisonSide> ResolveAttribute(const AttributeExpression& attribute,
                                        const ExpressionPath* path) {
  if (attribute.key.empty()) return RefusedAt(path, "an attribute needs a key");
  const std::optional<AttributeLevel> level = AttributeLevelOfWord(attribute.level);
  if (!level) {
    return RefusedAt(path, "unknown attribute level " + QuotedWord(attribute.level) +
                               "; there are span, resource, scope, event, link, and none");
  }
  return ComparisonSide{AttributeRef{attribute.key, *level}};
}

Result<ComparisonSide> ResolveField(const FieldExpression& words, const ExpressionPath* path) {
  const std::optional<Field> field = FieldOfWords(words.level, words.name);
  if (!field) {
    return RefusedAt(path, "there is no field " + QuotedWord(words.name) + " of level " +
                               QuotedWord(words.level));
  }
  const bool has_order = field != Field::kKind && field != Field::kStatus;
  return ComparisonSide{FieldRef{*field}, DomainOfField(*field), has_order};
}

Result<ComparisonSide> ResolveScalar(const ScalarExpression& scalar, const ExpressionPath* path) {
  LARDER_ASSIGN_OR_RETURN(const FilterDomain domain, DomainOfType(scalar.type, path));
  LARDER_RETURN_IF_ERROR(TypedConstant(scalar.value, scalar.type, path).status());
  return ComparisonSide{&scalar, domain, domain != FilterDomain::kBool};
}

}  // namespace

Operand ComparisonSide::reference() const {
  if (const auto* attribute = std::get_if<AttributeRef>(&term)) return *attribute;
  return std::get<FieldRef>(term);
}

Result<FilterDomain> DomainOfType(std::string_view type, const ExpressionPath* path) {
  if (type.empty()) return FilterDomain::kUnknown;
  if (type == "string") return FilterDomain::kText;
  if (type == "int" || type == "double") return FilterDomain::kNumber;
  if (type == "bool") return FilterDomain::kBool;
  return RefusedAt(
      path, "unknown type " + QuotedWord(type) + "; there are string, int, double, bool, and none");
}

Result<ComparisonSide> ResolveReference(const Expression& expression, const ExpressionPath* path) {
  if (const auto* attribute = std::get_if<AttributeExpression>(&expression.term)) {
    return ResolveAttribute(*attribute, path);
  }
  if (const auto* field = std::get_if<FieldExpression>(&expression.term)) {
    return ResolveField(*field, path);
  }
  return RefusedAt(path, "an attribute or a field must stand here");
}

Result<ComparisonSide> ResolveSide(const Expression& expression, const ExpressionPath* path) {
  if (const auto* scalar = std::get_if<ScalarExpression>(&expression.term)) {
    return ResolveScalar(*scalar, path);
  }
  const bool is_reference = std::holds_alternative<AttributeExpression>(expression.term) ||
                            std::holds_alternative<FieldExpression>(expression.term);
  if (!is_reference) return RefusedAt(path, "an attribute, a field or a scalar must stand here");
  return ResolveReference(expression, path);
}

Result<ResolvedConstant> ResolveConstant(std::string_view text, std::string_view type,
                                         const ComparisonSide& beside, const ExpressionPath* path) {
  LARDER_ASSIGN_OR_RETURN(Constant constant, TypedConstant(text, type, path));
  const auto* reference = std::get_if<FieldRef>(&beside.term);
  if (reference == nullptr) return ResolvedConstant{std::move(constant)};
  if (beside.domain == FilterDomain::kDuration) {
    const std::optional<int64_t> duration = ParseDurationText(text);
    if (!duration) return DoesNotParse(text, "a duration such as 1.5s or 300ms", path);
    constant.type = Constant::Type::kDuration;
    constant.number = *duration;
    return ResolvedConstant{std::move(constant)};
  }
  if (beside.domain == FilterDomain::kTime) {
    const std::optional<Moment> moment = ParseMomentText(text);
    if (!moment) return DoesNotParse(text, "a time such as 2026-08-16T10:00:00.5Z", path);
    constant.type = Constant::Type::kTime;
    constant.number = static_cast<int64_t>(moment->ns);
    return ResolvedConstant{std::move(constant), moment->place};
  }
  const Field field = reference->field;
  if (field == Field::kKind && !IsWordOfField(field, text)) {
    return DoesNotParse(
        text, "a kind; there are unspecified, internal, server, client, producer, consumer", path);
  }
  if (field == Field::kStatus && !IsWordOfField(field, text)) {
    return DoesNotParse(text, "a status; there are unset, ok, error", path);
  }
  constant.type = Constant::Type::kString;
  return ResolvedConstant{std::move(constant)};
}

}  // namespace larder
