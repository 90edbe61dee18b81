#include "storage/model/value_matcher.h"

#include <cstring>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace larder {
namespace {

using Type = Constant::Type;

template <typename T>
std::string Payload(T value) {
  std::string payload(sizeof value, '\0');
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

ValueMatcher Compile(FilterOp op, const Constant& constant) {
  FilterNode leaf = FilterNode::Leaf(op, AttributeRef{"key", AttributeLevel::kSpan}, constant);
  leaf.constants = {constant};
  return ValueMatcher::Compile(leaf).value();
}

Constant Text(Type type, std::string text) { return {.type = type, .text = std::move(text)}; }
Constant Duration(int64_t ns) { return {.type = Type::kDuration, .number = ns}; }

bool MatchesInt(FilterOp op, const Constant& constant, int64_t value) {
  const std::string payload = Payload(value);
  return Compile(op, constant).Matches(FilterValue::Attribute(ValueType::kInt, payload));
}
bool MatchesDouble(FilterOp op, const Constant& constant, double value) {
  const std::string payload = Payload(value);
  return Compile(op, constant).Matches(FilterValue::Attribute(ValueType::kDouble, payload));
}

TEST(ValueMatcher, TypedConstantsMeetTheirTypeAlone) {
  Constant five;
  five.type = Type::kInt;
  five.number = 5;
  EXPECT_TRUE(MatchesInt(FilterOp::kEq, five, 5));
  EXPECT_FALSE(MatchesDouble(FilterOp::kEq, five, 5));
  five.type = Type::kDouble;
  five.real = 5;
  EXPECT_FALSE(MatchesInt(FilterOp::kEq, five, 5));
  EXPECT_TRUE(MatchesDouble(FilterOp::kEq, five, 5));
  EXPECT_FALSE(
      Compile(FilterOp::kEq, five).Matches(FilterValue::Attribute(ValueType::kString, "5")));
}

TEST(ValueMatcher, NanIsEqualToItsTextAlone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(MatchesDouble(FilterOp::kEq, Text(Type::kLegacyText, "NaN"), nan));
  EXPECT_FALSE(MatchesDouble(FilterOp::kEq, Text(Type::kUntyped, "NaN"), nan));
  EXPECT_TRUE(MatchesDouble(FilterOp::kEq, Text(Type::kUntyped, "0"), -0.0));
}

TEST(ValueMatcher, ListsPayloadsThatMatchAndNoOthers) {
  const ValueMatcher matcher = Compile(FilterOp::kEq, Text(Type::kLegacyText, "1"));
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kString), std::vector<std::string>{"1"});
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kInt), std::vector{Payload(int64_t{1})});
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kDouble), std::vector{Payload(1.0)});
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kBool), std::vector<std::string>{"\1"});
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kEmpty), std::vector<std::string>{});
  EXPECT_EQ(matcher.MatchingPayloads(ValueType::kBytes), std::nullopt);
  for (const ValueType type :
       {ValueType::kString, ValueType::kInt, ValueType::kDouble, ValueType::kBool}) {
    const auto payloads = matcher.MatchingPayloads(type).value();
    for (const std::string& payload : payloads) {
      EXPECT_TRUE(matcher.Matches(FilterValue::Attribute(type, payload)));
    }
  }
  const ValueMatcher zero = Compile(FilterOp::kEq, Text(Type::kUntyped, "0"));
  EXPECT_EQ(zero.MatchingPayloads(ValueType::kDouble)->size(), 2u);  // 0 and -0
  const ValueMatcher greater = Compile(FilterOp::kGt, Text(Type::kUntyped, "1"));
  EXPECT_EQ(greater.MatchingPayloads(ValueType::kString), std::nullopt);
}

TEST(ValueMatcher, DurationBoundsSayWhatMatchesSays) {
  for (const FilterOp op :
       {FilterOp::kEq, FilterOp::kGt, FilterOp::kLt, FilterOp::kGte, FilterOp::kLte}) {
    for (const int64_t constant : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{7}, INT64_MAX}) {
      const ValueMatcher matcher = Compile(op, Duration(constant));
      const auto bounds = matcher.DurationBounds();
      ASSERT_TRUE(bounds.has_value());
      for (const int64_t ns : {INT64_MIN, INT64_MIN + 1, int64_t{-2}, int64_t{-1}, int64_t{0},
                               int64_t{6}, int64_t{7}, int64_t{8}, INT64_MAX - 1, INT64_MAX}) {
        EXPECT_EQ(bounds->first <= ns && ns <= bounds->second,
                  matcher.Matches(FilterValue::Duration(ns)))
            << static_cast<int>(op) << " " << constant << " " << ns;
      }
    }
  }
  EXPECT_FALSE(Compile(FilterOp::kGte, Text(Type::kUntyped, "5s")).DurationBounds().has_value());
}

TEST(CompareFilterValues, ComparesIntAndDoubleExactly) {
  const auto compare = [](FilterOp op, int64_t a, double b) {
    const std::string left = Payload(a);
    const std::string right = Payload(b);
    const auto ints = FilterValue::Attribute(ValueType::kInt, left);
    const auto doubles = FilterValue::Attribute(ValueType::kDouble, right);
    return CompareFilterValues(op, ints, doubles);
  };
  EXPECT_TRUE(compare(FilterOp::kEq, 500, 500.0));
  EXPECT_FALSE(compare(FilterOp::kEq, 9007199254740993, 9007199254740992.0));
  EXPECT_TRUE(compare(FilterOp::kGt, 9007199254740993, 9007199254740992.0));
  EXPECT_TRUE(compare(FilterOp::kLt, 3, 3.5));
  EXPECT_TRUE(compare(FilterOp::kGt, -3, -3.5));
  EXPECT_TRUE(compare(FilterOp::kLt, INT64_MAX, 9223372036854775808.0));
  EXPECT_TRUE(compare(FilterOp::kGte, INT64_MIN, -9223372036854775808.0));
  EXPECT_TRUE(compare(FilterOp::kLt, 0, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(compare(FilterOp::kGte, 0, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(compare(FilterOp::kLt, 0, std::numeric_limits<double>::quiet_NaN()));
}

TEST(Words, NameKindsAndStatuses) {
  EXPECT_EQ(KindWord(0), "unspecified");
  EXPECT_EQ(KindWord(5), "consumer");
  EXPECT_EQ(KindWord(6), "6");
  EXPECT_EQ(KindWord(-1), "-1");
  EXPECT_EQ(StatusWord(2), "error");
  EXPECT_EQ(StatusWord(3), "3");
}

}  // namespace
}  // namespace larder
