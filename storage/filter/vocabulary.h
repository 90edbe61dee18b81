// The closed, case-sensitive vocabulary of filter expressions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "storage/model/filter.h"

namespace larder {

// What values of a field, and constants, can be compared with: like with like. Attributes have no
// domain, since their type is known only per value.
enum class FilterDomain : uint8_t { kUnknown, kText, kNumber, kBool, kDuration, kTime };

std::optional<FilterOp> OperatorOfWord(std::string_view word);
std::string_view OperatorWord(FilterOp op);  // REQUIRES: not kTrue
std::optional<AttributeLevel> AttributeLevelOfWord(std::string_view word);
std::optional<Field> FieldOfWords(std::string_view level, std::string_view name);
FilterDomain DomainOfField(Field field);

// Whether a word names a kind or a status as kKind and kStatus have them. REQUIRES: field is one of
// the two.
bool IsWordOfField(Field field, std::string_view word);

// All operators and all levels that have a name, as GetCapabilities declares them.
std::span<const std::string_view> OperatorWords();
std::span<const std::string_view> LevelWords();

}  // namespace larder
