#include "tiering/sls_tier/push_down.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tiering/sls_tier/sls_index.h"

namespace larder {
namespace {

using Type = Constant::Type;

FilterNode Leaf(FilterOp op, Operand left, Constant right) {
  FilterNode node;
  node.op = op;
  node.left = std::move(left);
  node.right = std::move(right);
  return node;
}

FilterNode Group(FilterOp op, std::vector<FilterNode> children) {
  FilterNode node;
  node.op = op;
  node.children = std::move(children);
  return node;
}

FilterNode FieldIs(Field field, std::string text) {
  return Leaf(FilterOp::kEq, FieldRef{field}, {.type = Type::kString, .text = std::move(text)});
}

FilterNode AttributeIs(std::string key, Constant constant,
                       AttributeLevel level = AttributeLevel::kSpan) {
  return Leaf(FilterOp::kEq, AttributeRef{std::move(key), level}, std::move(constant));
}

FilterNode Duration(FilterOp op, int64_t ns) {
  return Leaf(op, FieldRef{Field::kDuration}, {.type = Type::kDuration, .text = "", .number = ns});
}

class PushDownTest : public testing::Test {
 protected:
  std::string Push(const FilterNode& filter) const { return PushDown(filter, index_); }
  const SlsIndex index_ = *SlsIndex::Parse(LarderIndexJson());
};

TEST_F(PushDownTest, FieldsThatHaveColumns) {
  EXPECT_EQ(Push(FieldIs(Field::kName, "GET /x")), R"((name: "GET /x" or tier.wide: "1"))");
  EXPECT_EQ(Push(FieldIs(Field::kResourceService, "cart")),
            R"((service: "cart" or tier.wide: "1"))");
  EXPECT_EQ(Push(FieldIs(Field::kKind, "server")), R"(kind: "server")");
  EXPECT_EQ(Push(FieldIs(Field::kStatus, "error")), R"(statusCode: "error")");
  EXPECT_EQ(Push(FieldIs(Field::kStatusMessage, "x")), "");
  EXPECT_EQ(Push(FilterNode{}), "");
}

TEST_F(PushDownTest, DurationsAreRoundedOutwards) {
  EXPECT_EQ(Push(Duration(FilterOp::kGte, 10'500'999)), "duration >= 10499");
  EXPECT_EQ(Push(Duration(FilterOp::kLt, 10'500'000)), "duration <= 10501");
  EXPECT_EQ(Push(Duration(FilterOp::kLt, -5)), "duration <= 1");
  EXPECT_EQ(Push(Duration(FilterOp::kGt, -5'000'000)), "");
}

TEST_F(PushDownTest, AttributesByEverySpellingOfTheirValue) {
  EXPECT_EQ(Push(AttributeIs("http.method", {.type = Type::kString, .text = "GET"})),
            R"((tier.wide: "1" or attribute.http.method: "GET"))");
  EXPECT_EQ(Push(AttributeIs("k", {.type = Type::kUntyped, .text = "1.50"})),
            R"((tier.wide: "1" or attribute.k: "1.5" or attribute.k: "1.50"))");
  EXPECT_EQ(Push(AttributeIs("a", {.type = Type::kInt, .text = "", .number = 7},
                             AttributeLevel::kResource)),
            R"((tier.wide: "1" or resource.a: "7"))");
  EXPECT_EQ(Push(AttributeIs("a", {.type = Type::kString, .text = "v"}, AttributeLevel::kAny)),
            R"((tier.wide: "1" or attribute.a: "v" or resource.a: "v" or logs: "v"))");
  for (const AttributeLevel level : {AttributeLevel::kScope, AttributeLevel::kLink}) {
    EXPECT_EQ(Push(AttributeIs("a", {.type = Type::kString, .text = "v"}, level)), "");
  }
}

TEST_F(PushDownTest, WhatSlsCannotSayIsLeftOutOfAnd) {
  const FilterNode no = Leaf(FilterOp::kNe, FieldRef{Field::kName}, {.text = "x"});
  EXPECT_EQ(Push(Group(FilterOp::kAnd, {no, FieldIs(Field::kKind, "client")})),
            R"(kind: "client")");
  EXPECT_EQ(Push(Group(FilterOp::kAnd, {no, no})), "");
  EXPECT_EQ(Push(Group(FilterOp::kNot, {FieldIs(Field::kKind, "client")})), "");
}

TEST_F(PushDownTest, WhatSlsCannotSayMakesOrSayNothing) {
  const FilterNode kind = FieldIs(Field::kKind, "client");
  const FilterNode status = FieldIs(Field::kStatus, "ok");
  EXPECT_EQ(Push(Group(FilterOp::kOr, {kind, status})), R"((kind: "client" or statusCode: "ok"))");
  EXPECT_EQ(Push(Group(FilterOp::kOr, {kind, FilterNode{}})), "");
  EXPECT_EQ(Push(Group(FilterOp::kOr, {})), "");
}

TEST_F(PushDownTest, OddTextsAreNotAskedFor) {
  for (const char* odd : {"", "/", "a\"b", "a*", "caf\xc3\xa9", "a\\b", "a\nb", "what?"}) {
    EXPECT_EQ(Push(FieldIs(Field::kName, odd)), "") << odd;
    EXPECT_EQ(Push(AttributeIs("k", {.type = Type::kString, .text = odd})), "") << odd;
  }
  for (const char* key : {"", "a b", "a:b", "a\"", "service.name"}) {
    EXPECT_EQ(Push(AttributeIs(key, {.type = Type::kString, .text = "v"})), "") << key;
  }
}

TEST_F(PushDownTest, StaysBelowTheTermsThatSlsTakes) {
  std::vector<FilterNode> many(50, FieldIs(Field::kName, "x"));
  const std::string query = Push(Group(FilterOp::kAnd, many));
  EXPECT_LE(std::count(query.begin(), query.end(), ':'), kPushedTermsMax);
  EXPECT_GT(std::count(query.begin(), query.end(), ':'), 1);
  EXPECT_EQ(Push(Group(FilterOp::kOr, many)), "");
}

TEST(SlsIndex, AnIndexOfOthersIsAskedForWhatItHas) {
  const auto index = SlsIndex::Parse(
      R"({"keys":{"traceID":{"type":"text"},"kind":{"type":"text","caseSensitive":false}}})");
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(PushDown(FieldIs(Field::kKind, "server"), *index), R"(kind: "server")");
  EXPECT_EQ(PushDown(FieldIs(Field::kName, "x"), *index), "");
  EXPECT_EQ(PushDown(Duration(FilterOp::kGt, 5'000'000), *index), "");
  EXPECT_EQ(PushDown(AttributeIs("a", {.type = Type::kString, .text = "v"}), *index), "");
  EXPECT_FALSE(SlsIndex::Parse("[]").ok());
  EXPECT_TRUE(SlsIndex::Least().has("traceID"));
}

// Larder's own index, with the key of one column replaced.
SlsIndex IndexWith(const std::string& column, const std::string& key) {
  nlohmann::json index = nlohmann::json::parse(LarderIndexJson());
  index["keys"][column] = nlohmann::json::parse(key);
  return *SlsIndex::Parse(index.dump());
}

TEST(SlsIndex, MembersAreAskedForWhenEachOfThemIsFound) {
  const FilterNode filter = AttributeIs("http.method", {.type = Type::kString, .text = "GET"});
  const std::string asked = R"((tier.wide: "1" or attribute.http.method: "GET"))";
  const auto push = [&](const std::string& rest) {
    return PushDown(filter,
                    IndexWith("attribute", R"({"type":"json","token":[","],)" + rest + "}"));
  };
  EXPECT_EQ(push(R"("index_all":true,"max_depth":-1)"), asked);
  EXPECT_EQ(push(R"("index_all":true)"), asked);
  EXPECT_EQ(push(R"("index_all":true,"max_depth":2)"), asked);
  EXPECT_EQ(push(R"("index_all":true,"max_depth":1)"), "");
  EXPECT_EQ(push(R"("index_all":false)"), "");
  EXPECT_EQ(push(R"("json_keys":{})"), "");
  EXPECT_EQ(push(R"("json_keys":{"http.method":{"type":"text"}})"), asked);
  EXPECT_EQ(push(R"("json_keys":{"http.status":{"type":"text"}})"), "");
  EXPECT_EQ(push(R"("index_all":true,"json_keys":{"http.method":{"type":"long"}})"), "");
  EXPECT_EQ(PushDown(filter, IndexWith("attribute", R"({"type":"text","token":[","]})")), "");
}

TEST(SlsIndex, TextsAreAskedForWhenBothFallIntoTheSameWords) {
  const FilterNode name = FieldIs(Field::kName, "GET /x");
  const std::string asked = R"((name: "GET /x" or tier.wide: "1"))";
  EXPECT_EQ(PushDown(name, IndexWith("name", R"({"type":"text","token":[]})")), asked);
  EXPECT_EQ(PushDown(name, IndexWith("name", R"({"type":"text","token":["/"]})")), asked);
  EXPECT_EQ(PushDown(name, IndexWith("name", R"({"type":"text","token":["G"]})")), "");
  EXPECT_EQ(PushDown(name, IndexWith("name", R"({"type":"long"})")), "");
  // Within JSON a value is a word of its own when quotes end words.
  const FilterNode any =
      AttributeIs("a", {.type = Type::kString, .text = "v"}, AttributeLevel::kEvent);
  EXPECT_EQ(PushDown(any, IndexWith("logs", R"({"type":"text","token":["\"",","]})")),
            R"((tier.wide: "1" or logs: "v"))");
  EXPECT_EQ(PushDown(any, IndexWith("logs", R"({"type":"text","token":[",",":"]})")), "");
  EXPECT_EQ(PushDown(any, IndexWith("logs", R"({"type":"text","token":[]})")), "");
}

TEST(SlsIndex, WordsAreAskedForInBothCasesWhereTheseDiffer) {
  const std::string key = R"({"type":"text","token":[],"caseSensitive":true})";
  EXPECT_EQ(PushDown(FieldIs(Field::kStatus, "error"), IndexWith("statusCode", key)),
            R"((statusCode: "error" or statusCode: "ERROR"))");
  EXPECT_EQ(PushDown(FieldIs(Field::kKind, "client"), IndexWith("kind", key)),
            R"((kind: "client" or kind: "CLIENT"))");
}

TEST(SlsIndex, NamesOfPacksAreFoundExactlyWhenNothingCutsThem) {
  const std::string name = "larder-00c0ffee00c0ffee-3-0-17-4096-0";
  const auto finds = [&](const std::string& key) {
    return IndexWith(std::string(kPackField), key).finds_exactly(kPackField, name);
  };
  EXPECT_TRUE(finds(R"({"type":"text","token":[]})"));
  EXPECT_TRUE(finds(R"({"type":"text","token":[","," "]})"));
  EXPECT_FALSE(finds(R"({"type":"text","token":["-"]})"));
  EXPECT_FALSE(finds(R"({"type":"json","token":[]})"));
}

}  // namespace
}  // namespace larder
