#include "storage/filter/vocabulary.h"

#include <algorithm>
#include <array>

#include "storage/base/check.h"
#include "storage/model/value_matcher.h"

namespace larder {
namespace {

constexpr std::array<std::string_view, 16> kOperatorWords = {
    "and", "or",    "not",    "eq", "ne",     "gt",   "lt",     "gte",
    "lte", "regex", "exists", "in", "not_in", "some", "phrase", "fulltext"};
constexpr std::array kOperators = {
    FilterOp::kAnd,   FilterOp::kOr,    FilterOp::kNot,    FilterOp::kEq,
    FilterOp::kNe,    FilterOp::kGt,    FilterOp::kLt,     FilterOp::kGte,
    FilterOp::kLte,   FilterOp::kRegex, FilterOp::kExists, FilterOp::kIn,
    FilterOp::kNotIn, FilterOp::kSome,  FilterOp::kPhrase, FilterOp::kFulltext};
static_assert(kOperators.size() == kOperatorWords.size());

constexpr std::array<std::string_view, 5> kLevelWords = {"span", "resource", "scope", "event",
                                                         "link"};
constexpr std::array kLevels = {AttributeLevel::kSpan, AttributeLevel::kResource,
                                AttributeLevel::kScope, AttributeLevel::kEvent,
                                AttributeLevel::kLink};
static_assert(kLevels.size() == kLevelWords.size());

struct FieldWords {
  std::string_view level;
  std::string_view name;
  Field field;
  FilterDomain domain;
};

constexpr std::array kFields = {
    FieldWords{"span", "traceID", Field::kTraceId, FilterDomain::kText},
    FieldWords{"span", "spanID", Field::kSpanId, FilterDomain::kText},
    FieldWords{"span", "parentSpanID", Field::kParentSpanId, FilterDomain::kText},
    FieldWords{"span", "traceState", Field::kTraceState, FilterDomain::kText},
    FieldWords{"span", "name", Field::kName, FilterDomain::kText},
    FieldWords{"span", "kind", Field::kKind, FilterDomain::kText},
    FieldWords{"span", "startTime", Field::kStartTime, FilterDomain::kTime},
    FieldWords{"span", "endTime", Field::kEndTime, FilterDomain::kTime},
    FieldWords{"span", "duration", Field::kDuration, FilterDomain::kDuration},
    FieldWords{"span", "status", Field::kStatus, FilterDomain::kText},
    FieldWords{"span", "statusMessage", Field::kStatusMessage, FilterDomain::kText},
    FieldWords{"resource", "service", Field::kResourceService, FilterDomain::kText},
    FieldWords{"resource", "schemaURL", Field::kResourceSchemaUrl, FilterDomain::kText},
    FieldWords{"scope", "name", Field::kScopeName, FilterDomain::kText},
    FieldWords{"scope", "version", Field::kScopeVersion, FilterDomain::kText},
    FieldWords{"scope", "schemaURL", Field::kScopeSchemaUrl, FilterDomain::kText},
    FieldWords{"event", "name", Field::kEventName, FilterDomain::kText},
    FieldWords{"event", "time", Field::kEventTime, FilterDomain::kTime},
    FieldWords{"event", "timeSinceStart", Field::kEventTimeSinceStart, FilterDomain::kDuration},
    FieldWords{"link", "traceID", Field::kLinkTraceId, FilterDomain::kText},
    FieldWords{"link", "spanID", Field::kLinkSpanId, FilterDomain::kText},
    FieldWords{"link", "traceState", Field::kLinkTraceState, FilterDomain::kText},
};

constexpr int32_t kKindLast = 5;
constexpr int32_t kStatusLast = 2;

}  // namespace

std::optional<FilterOp> OperatorOfWord(std::string_view word) {
  for (size_t i = 0; i < kOperatorWords.size(); ++i) {
    if (kOperatorWords[i] == word) return kOperators[i];
  }
  return std::nullopt;
}

std::string_view OperatorWord(FilterOp op) {
  for (size_t i = 0; i < kOperators.size(); ++i) {
    if (kOperators[i] == op) return kOperatorWords[i];
  }
  LARDER_CHECK(false);
  return {};
}

std::optional<AttributeLevel> AttributeLevelOfWord(std::string_view word) {
  if (word.empty()) return AttributeLevel::kSpanOrResource;
  for (size_t i = 0; i < kLevelWords.size(); ++i) {
    if (kLevelWords[i] == word) return kLevels[i];
  }
  return std::nullopt;
}

std::optional<Field> FieldOfWords(std::string_view level, std::string_view name) {
  for (const FieldWords& words : kFields) {
    if (words.level == level && words.name == name) return words.field;
  }
  return std::nullopt;
}

FilterDomain DomainOfField(Field field) {
  const auto* const words = std::find_if(
      kFields.begin(), kFields.end(), [&](const FieldWords& each) { return each.field == field; });
  LARDER_CHECK(words != kFields.end());
  return words->domain;
}

bool IsWordOfField(Field field, std::string_view word) {
  LARDER_CHECK(field == Field::kKind || field == Field::kStatus);
  const bool is_kind = field == Field::kKind;
  const int32_t last = is_kind ? kKindLast : kStatusLast;
  for (int32_t number = 0; number <= last; ++number) {
    if ((is_kind ? KindWord(number) : StatusWord(number)) == word) return true;
  }
  return false;
}

std::span<const std::string_view> OperatorWords() { return kOperatorWords; }
std::span<const std::string_view> LevelWords() { return kLevelWords; }

}  // namespace larder
