#include "storage/model/value_matcher.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "storage/model/filter_text.h"

namespace larder {
namespace {

using Domain = FilterValue::Domain;
using Type = Constant::Type;

int64_t LoadInt(std::string_view payload) {
  int64_t value = 0;
  std::memcpy(&value, payload.data(), std::min(payload.size(), sizeof value));
  return value;
}

double LoadDouble(std::string_view payload) {
  double value = 0;
  std::memcpy(&value, payload.data(), std::min(payload.size(), sizeof value));
  return value;
}

bool LoadBool(std::string_view payload) { return !payload.empty() && payload[0] != 0; }

template <typename T>
std::string StorePayload(T value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

template <typename T>
bool Holds(FilterOp op, const T& left, const T& right) {
  switch (op) {
    case FilterOp::kEq:
    case FilterOp::kNe:
    case FilterOp::kIn:
    case FilterOp::kNotIn:
      return left == right;
    case FilterOp::kGt:
      return left > right;
    case FilterOp::kLt:
      return left < right;
    case FilterOp::kGte:
      return left >= right;
    case FilterOp::kLte:
      return left <= right;
    default:
      return false;
  }
}

bool IsEquality(FilterOp op) {
  return op == FilterOp::kEq || op == FilterOp::kNe || op == FilterOp::kIn ||
         op == FilterOp::kNotIn;
}

// An int64 beside a double without rounding the int: 2^53 + 1 must not equal 2^53.
bool HoldsIntDouble(FilterOp op, int64_t left, double right) {
  if (std::isnan(right)) return false;
  constexpr double kTwo63 = 9223372036854775808.0;
  if (right >= kTwo63) return op == FilterOp::kLt || op == FilterOp::kLte;
  if (right < -kTwo63) return op == FilterOp::kGt || op == FilterOp::kGte;
  const double whole = std::floor(right);
  const auto floor = static_cast<int64_t>(whole);
  if (left != floor) return Holds(op, left, floor);
  return Holds(op, 0.0, right - whole);
}

// A kRaw attribute shows its decoded value; a value that does not decode is like none at all.
AttributeView Unwrap(ValueType type, std::string_view payload, char* scratch) {
  if (type != ValueType::kRaw) return {{}, type, payload};
  const Result<AttributeView> decoded = InterpretKeyValue(payload, scratch);
  if (!decoded.ok()) return {};
  return *decoded;
}

bool IsWordOp(FilterOp op) { return op == FilterOp::kPhrase || op == FilterOp::kFulltext; }

}  // namespace

ValueMatcher::Parsed ValueMatcher::Parse(const Constant& constant) {
  Parsed parsed{constant, constant.text, {}, {}, {}};
  switch (constant.type) {
    case Type::kUntyped:
    case Type::kLegacyText:
      parsed.as_int = ParseIntText(constant.text);
      parsed.as_double = ParseDoubleText(constant.text);
      parsed.as_bool = ParseBoolText(constant.text);
      break;
    case Type::kInt:
      parsed.as_int = constant.number;
      break;
    case Type::kDouble:
      parsed.as_double = constant.real;
      break;
    case Type::kBool:
      parsed.as_bool = constant.number != 0;
      break;
    case Type::kString:
    case Type::kCanonicalText:
    case Type::kTime:
    case Type::kDuration:
      break;
  }
  return parsed;
}

Result<ValueMatcher> ValueMatcher::Compile(const FilterNode& leaf) {
  ValueMatcher matcher;
  matcher.op_ = leaf.op;
  switch (leaf.op) {
    case FilterOp::kExists:
      return matcher;
    case FilterOp::kIn:
    case FilterOp::kNotIn:
      for (const Constant& constant : leaf.constants) matcher.constants_.push_back(Parse(constant));
      return matcher;
    case FilterOp::kPhrase:
    case FilterOp::kFulltext:
      for (const Constant& constant : leaf.constants) {
        for (std::string& word : SplitWords(constant.text))
          matcher.words_.push_back(std::move(word));
      }
      return matcher;
    case FilterOp::kEq:
    case FilterOp::kNe:
    case FilterOp::kGt:
    case FilterOp::kLt:
    case FilterOp::kGte:
    case FilterOp::kLte:
    case FilterOp::kRegex:
      break;
    default:
      return Status::InvalidArgument("not a leaf of a filter");
  }
  const auto* constant = std::get_if<Constant>(&leaf.right);
  if (constant == nullptr) return Status::InvalidArgument("a leaf without a constant");
  if (leaf.op != FilterOp::kRegex) {
    matcher.constants_.push_back(Parse(*constant));
    return matcher;
  }
  matcher.regex_on_numbers_ = constant->type != Type::kString;
  LARDER_ASSIGN_OR_RETURN(matcher.pattern_, TextPattern::Compile(constant->text));
  return matcher;
}

bool ValueMatcher::Matches(const FilterValue& value) const {
  if (op_ == FilterOp::kExists) return true;
  if (value.domain == Domain::kAttribute) {
    std::array<char, 8> scratch;
    const AttributeView view = Unwrap(value.type, value.payload, scratch.data());
    return MatchesAttribute(view.type, view.payload);
  }
  if (op_ == FilterOp::kRegex) {
    return value.domain == Domain::kText && MatchesPattern(ValueType::kString, value.payload);
  }
  // phrase and fulltext look at attributes only.
  if (IsWordOp(op_)) return false;
  return std::any_of(constants_.begin(), constants_.end(),
                     [&](const Parsed& parsed) { return MatchesConstant(parsed, value); });
}

bool ValueMatcher::MatchesAttribute(ValueType type, std::string_view payload) const {
  if (op_ == FilterOp::kRegex) return MatchesPattern(type, payload);
  if (IsWordOp(op_)) return type == ValueType::kString && MatchesWords(payload);
  return std::any_of(constants_.begin(), constants_.end(),
                     [&](const Parsed& parsed) { return MatchesStored(parsed, type, payload); });
}

// A constant beside a built-in field; the filter's resolution has given it the field's type.
bool ValueMatcher::MatchesConstant(const Parsed& parsed, const FilterValue& value) const {
  switch (value.domain) {
    case Domain::kText:
      switch (parsed.constant.type) {
        case Type::kUntyped:
        case Type::kString:
        case Type::kLegacyText:
        case Type::kCanonicalText:
          return Holds(op_, value.payload, std::string_view(parsed.text));
        default:
          return false;
      }
    case Domain::kTime:
      return parsed.constant.type == Type::kTime &&
             Holds(op_, value.number, static_cast<uint64_t>(parsed.constant.number));
    case Domain::kDuration:
      return parsed.constant.type == Type::kDuration &&
             Holds(op_, static_cast<int64_t>(value.number), parsed.constant.number);
    case Domain::kAttribute:
      break;
  }
  return false;
}

// A constant beside a stored attribute value. A typed constant meets values of its own type only.
// An untyped one, and legacy text, meet each value at the value's type, if they parse as that; what
// has no order (bool, bytes, array, list) is equal by canonical text.
bool ValueMatcher::MatchesStored(const Parsed& parsed, ValueType type,
                                 std::string_view payload) const {
  const Type constant = parsed.constant.type;
  if (constant == Type::kCanonicalText) {
    return IsEquality(op_) && ValueText(type, payload) == parsed.text;
  }
  const bool any_type = constant == Type::kUntyped || constant == Type::kLegacyText;
  switch (type) {
    case ValueType::kString:
      return (any_type || constant == Type::kString) &&
             Holds(op_, payload, std::string_view(parsed.text));
    case ValueType::kInt:
      return parsed.as_int.has_value() && Holds(op_, LoadInt(payload), *parsed.as_int);
    case ValueType::kDouble:
      if (parsed.as_double && Holds(op_, LoadDouble(payload), *parsed.as_double)) return true;
      // NaN is equal to nothing, but its text is equal to its text.
      return constant == Type::kLegacyText && IsEquality(op_) &&
             ValueText(type, payload) == parsed.text;
    case ValueType::kBool:
      return parsed.as_bool.has_value() && IsEquality(op_) && LoadBool(payload) == *parsed.as_bool;
    case ValueType::kBytes:
    case ValueType::kArray:
    case ValueType::kKvList:
      return any_type && IsEquality(op_) && ValueText(type, payload) == parsed.text;
    case ValueType::kEmpty:
      return constant == Type::kLegacyText && IsEquality(op_) && parsed.text.empty();
    case ValueType::kRaw:
      break;
  }
  return false;
}

bool ValueMatcher::MatchesPattern(ValueType type, std::string_view payload) const {
  if (type == ValueType::kString) return pattern_->FoundIn(payload);
  const bool is_number =
      type == ValueType::kInt || type == ValueType::kDouble || type == ValueType::kBool;
  return regex_on_numbers_ && is_number && pattern_->FoundIn(ValueText(type, payload));
}

bool ValueMatcher::MatchesWords(std::string_view text) const {
  const std::vector<std::string> words = SplitWords(text);
  if (op_ == FilterOp::kPhrase) {
    return std::search(words.begin(), words.end(), words_.begin(), words_.end()) != words.end() ||
           words_.empty();
  }
  return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  });
}

std::optional<std::vector<std::string>> ValueMatcher::MatchingPayloads(ValueType type) const {
  if (op_ != FilterOp::kEq && op_ != FilterOp::kNe && op_ != FilterOp::kIn &&
      op_ != FilterOp::kNotIn) {
    return std::nullopt;
  }
  std::vector<std::string> payloads;
  for (const Parsed& parsed : constants_) {
    const Type constant = parsed.constant.type;
    const bool any_type = constant == Type::kUntyped || constant == Type::kLegacyText;
    if (constant == Type::kCanonicalText && type != ValueType::kString) return std::nullopt;
    switch (type) {
      case ValueType::kString:
        if (any_type || constant == Type::kString || constant == Type::kCanonicalText) {
          payloads.push_back(parsed.text);
        }
        break;
      case ValueType::kInt:
        if (parsed.as_int) payloads.push_back(StorePayload(*parsed.as_int));
        break;
      case ValueType::kBool:
        if (parsed.as_bool) payloads.emplace_back(1, *parsed.as_bool ? '\1' : '\0');
        break;
      case ValueType::kEmpty:
        if (constant == Type::kLegacyText && parsed.text.empty()) payloads.emplace_back();
        break;
      case ValueType::kDouble:
        // Every NaN has one text: left to the stored values.
        if (parsed.as_double && std::isnan(*parsed.as_double)) return std::nullopt;
        if (parsed.as_double) payloads.push_back(StorePayload(*parsed.as_double));
        if (parsed.as_double && *parsed.as_double == 0) {
          payloads.push_back(StorePayload(-*parsed.as_double));
        }
        break;
      case ValueType::kBytes:
      case ValueType::kArray:
      case ValueType::kKvList:
        if (any_type) return std::nullopt;
        break;
      case ValueType::kRaw:
        return std::nullopt;
    }
  }
  return payloads;
}

std::optional<std::pair<int64_t, int64_t>> ValueMatcher::DurationBounds() const {
  const bool one = constants_.size() == 1 && constants_[0].constant.type == Type::kDuration;
  if (!one) return std::nullopt;
  const int64_t ns = constants_[0].constant.number;
  // No duration is beyond the least and the greatest.
  constexpr std::pair<int64_t, int64_t> kNone = {0, -1};
  switch (op_) {
    case FilterOp::kEq:
    case FilterOp::kNe:
      return std::pair(ns, ns);
    case FilterOp::kGt:
      return ns == INT64_MAX ? kNone : std::pair(ns + 1, INT64_MAX);
    case FilterOp::kLt:
      return ns == INT64_MIN ? kNone : std::pair(INT64_MIN, ns - 1);
    case FilterOp::kGte:
      return std::pair(ns, INT64_MAX);
    case FilterOp::kLte:
      return std::pair(INT64_MIN, ns);
    default:
      return std::nullopt;
  }
}

bool CompareFilterValues(FilterOp op, const FilterValue& left, const FilterValue& right) {
  if (left.domain == Domain::kTime || right.domain == Domain::kTime) {
    return left.domain == right.domain && Holds(op, left.number, right.number);
  }
  if (left.domain == Domain::kDuration || right.domain == Domain::kDuration) {
    return left.domain == right.domain &&
           Holds(op, static_cast<int64_t>(left.number), static_cast<int64_t>(right.number));
  }
  std::array<char, 8> left_scratch;
  std::array<char, 8> right_scratch;
  const AttributeView a = Unwrap(left.type, left.payload, left_scratch.data());
  const AttributeView b = Unwrap(right.type, right.payload, right_scratch.data());
  if (a.type == ValueType::kInt && b.type == ValueType::kDouble) {
    return HoldsIntDouble(op, LoadInt(a.payload), LoadDouble(b.payload));
  }
  if (a.type == ValueType::kDouble && b.type == ValueType::kInt) {
    return HoldsIntDouble(Mirror(op), LoadInt(b.payload), LoadDouble(a.payload));
  }
  if (a.type != b.type) return false;
  switch (a.type) {
    case ValueType::kString:
      return Holds(op, a.payload, b.payload);
    case ValueType::kInt:
      return Holds(op, LoadInt(a.payload), LoadInt(b.payload));
    case ValueType::kDouble:
      return Holds(op, LoadDouble(a.payload), LoadDouble(b.payload));
    case ValueType::kBool:
      return IsEquality(op) && LoadBool(a.payload) == LoadBool(b.payload);
    case ValueType::kBytes:
    case ValueType::kArray:
    case ValueType::kKvList:
      return IsEquality(op) && ValueText(a.type, a.payload) == ValueText(b.type, b.payload);
    case ValueType::kEmpty:
    case ValueType::kRaw:
      break;
  }
  return false;
}

std::string KindWord(int32_t kind) {
  static constexpr std::array<std::string_view, 6> kWords = {"unspecified", "internal", "server",
                                                             "client",      "producer", "consumer"};
  if (kind >= 0 && static_cast<size_t>(kind) < kWords.size()) {
    return std::string(kWords[static_cast<size_t>(kind)]);
  }
  return std::to_string(kind);
}

std::string StatusWord(int32_t status_code) {
  static constexpr std::array<std::string_view, 3> kWords = {"unset", "ok", "error"};
  if (status_code >= 0 && static_cast<size_t>(status_code) < kWords.size()) {
    return std::string(kWords[static_cast<size_t>(status_code)]);
  }
  return std::to_string(status_code);
}

}  // namespace larder
