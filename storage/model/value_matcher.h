// ValueMatcher: one leaf of a filter tree against one value. Compiled once per query (numbers
// parsed, pattern compiled), then asked once per distinct value. The rules are those of the
// structured filter (RFC 0005) and of Jaeger's legacy search; value_matcher.cc states them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/text_pattern.h"
#include "storage/model/value.h"

namespace larder {

// A value as a leaf sees it. Borrows its payload.
struct FilterValue {
  enum class Domain : uint8_t {
    kAttribute,  // type and payload, as stored
    kText,       // payload: a text field, an id in hex, or the word of kind and status
    kTime,       // number: unsigned nanoseconds since 1970
    kDuration,   // number: signed nanoseconds (two's complement)
  };
  Domain domain = Domain::kAttribute;
  ValueType type = ValueType::kEmpty;
  std::string_view payload;
  uint64_t number = 0;

  static FilterValue Attribute(ValueType type, std::string_view payload) {
    return {Domain::kAttribute, type, payload, 0};
  }
  static FilterValue Text(std::string_view text) {
    return {Domain::kText, ValueType::kString, text, 0};
  }
  static FilterValue Time(uint64_t ns) { return {Domain::kTime, ValueType::kInt, {}, ns}; }
  static FilterValue Duration(int64_t ns) {
    return {Domain::kDuration, ValueType::kInt, {}, static_cast<uint64_t>(ns)};
  }
};

// Immutable and thread-safe once compiled; cheap to copy.
class ValueMatcher {
 public:
  // Compiles a leaf whose right side is a constant, constants, or nothing (kExists). kNe and kNotIn
  // are compiled as their positive form; whoever evaluates the leaf negates (filter.h).
  // kInvalidArgument: not such a leaf, or a pattern that RE2 refuses.
  static Result<ValueMatcher> Compile(const FilterNode& leaf);

  bool Matches(const FilterValue& value) const;

  // The payloads of attribute values of this type that match, when they are few and can be listed
  // without looking at what is stored; nullopt when stored values must be asked one by one. An
  // empty list: no value of this type matches.
  std::optional<std::vector<std::string>> MatchingPayloads(ValueType type) const;

  // The durations that match, when they are one interval of signed nanoseconds, both ends included.
  std::optional<std::pair<int64_t, int64_t>> DurationBounds() const;

 private:
  // A constant with what it parses as, computed once.
  struct Parsed {
    Constant constant;
    std::string text;  // what text and canonical comparisons compare with
    std::optional<int64_t> as_int;
    std::optional<double> as_double;
    std::optional<bool> as_bool;
  };

  static Parsed Parse(const Constant& constant);
  bool MatchesAttribute(ValueType type, std::string_view payload) const;
  bool MatchesConstant(const Parsed& parsed, const FilterValue& value) const;
  bool MatchesStored(const Parsed& parsed, ValueType type, std::string_view payload) const;
  bool MatchesPattern(ValueType type, std::string_view payload) const;
  bool MatchesWords(std::string_view text) const;

  FilterOp op_ = FilterOp::kExists;
  bool regex_on_numbers_ = false;
  std::vector<Parsed> constants_;
  std::vector<std::string> words_;
  std::optional<TextPattern> pattern_;
};

// `left op right` between two values of a span: kEq (also for kNe), kGt, kLt, kGte, kLte. Values of
// different domains never compare; int and double share one; bool and composed values know equality
// only.
bool CompareFilterValues(FilterOp op, const FilterValue& left, const FilterValue& right);

// The words by which a filter names OTLP's kinds and statuses; an unknown number is its decimal
// text.
std::string KindWord(int32_t kind);
std::string StatusWord(int32_t status_code);

}  // namespace larder
