#include "storage/filter/resolve.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "storage/model/table/span_filter.h"
#include "tests/support/filter_generator.h"

namespace larder {
namespace {

Expression Attr(std::string key, std::string level = "") {
  return {AttributeExpression{std::move(key), std::move(level)}};
}
Expression Of(std::string level, std::string name) {
  return {FieldExpression{std::move(name), std::move(level)}};
}
Expression Scalar(std::string value, std::string type = "") {
  return {ScalarExpression{std::move(value), std::move(type)}};
}
Expression List(std::vector<std::string> values, std::string type = "") {
  return {ListExpression{std::move(values), std::move(type)}};
}
Expression Nested(std::string level) { return {NestedExpression{std::move(level)}}; }
CallExpression Call(std::string op, std::vector<Expression> args) {
  return {std::move(op), std::move(args)};
}
Expression Term(CallExpression call) { return {std::move(call)}; }

std::string Resolved(const CallExpression& call) {
  const auto filter = ResolveFilter(call);
  if (!filter.ok()) return std::string(filter.status().message());
  EXPECT_TRUE(SpanFilter::Compile(*filter).ok());
  return FilterToText(*filter);
}

TEST(ResolveFilter, NamesThePlace) {
  const CallExpression exists = Call("exists", {Attr("a")});
  EXPECT_EQ(Resolved(Call("", {})), "filter: unknown operator \"\"");
  EXPECT_EQ(Resolved(Call("and", {Term(exists), Term(Call("not", {Term(Call("eq", {}))}))})),
            "filter.args[1].call.args[0]: eq takes 2 arguments, not 0");
  EXPECT_EQ(Resolved(Call("or", {Term(exists)})), "filter: or takes 2 arguments or more, not 1");
  EXPECT_EQ(Resolved(Call("eq", {Attr("a",
                                      "tra\xFF"
                                      "ce"),
                                 Scalar("x")})),
            "filter.args[0]: unknown attribute level \"tra\\xffce\"; there are span, resource, "
            "scope, event, link, and none");
  EXPECT_EQ(Resolved(Call("eq", {Of("span", "duration"), Scalar("2")})),
            "filter.args[1]: \"2\" is not a duration such as 1.5s or 300ms");
  EXPECT_EQ(
      Resolved(Call("exists", {Of("span", std::string(100, 'x'))})),
      "filter.args[0]: there is no field \"" + std::string(60, 'x') + "...\" of level \"span\"");
}

TEST(ResolveFilter, ReferencesStandOnTheLeft) {
  for (const auto& [op, mirrored] :
       std::vector<std::pair<std::string, std::string>>{{"eq", "eq"},
                                                        {"ne", "ne"},
                                                        {"gt", "lt"},
                                                        {"lt", "gt"},
                                                        {"gte", "lte"},
                                                        {"lte", "gte"}}) {
    EXPECT_EQ(Resolved(Call(op, {Scalar("2s"), Of("span", "duration")})),
              Resolved(Call(mirrored, {Of("span", "duration"), Scalar("2s")})));
  }
  EXPECT_NE(Resolved(Call("gt", {Attr("a"), Attr("b")})),
            Resolved(Call("lt", {Attr("a"), Attr("b")})));
}

TEST(ResolveFilter, TimesBesideAllSpansHoldForAllOrNone) {
  const Expression time = Of("event", "time");
  const std::string all = Resolved(Call("exists", {time}));
  const std::string early = "1960-01-01T00:00:00Z";
  const std::string late = "3000-01-01T00:00:00Z";
  for (const char* op : {"gt", "gte", "ne"}) {
    EXPECT_EQ(Resolved(Call(op, {time, Scalar(early)})), all) << op;
  }
  for (const char* op : {"lt", "lte", "ne"}) {
    EXPECT_EQ(Resolved(Call(op, {time, Scalar(late)})), all) << op;
  }
  EXPECT_EQ(Resolved(Call("lt", {Scalar(early), time})), all);
  for (const auto& [op, text] : std::vector<std::pair<std::string, std::string>>{
           {"eq", early}, {"lt", early}, {"lte", early}, {"gt", late}, {"gte", late}}) {
    const auto filter = ResolveFilter(Call(op, {time, Scalar(text)}));
    ASSERT_TRUE(filter.ok());
    EXPECT_EQ(filter->op, FilterOp::kIn) << op;
    EXPECT_TRUE(filter->constants.empty()) << op;
  }
  const auto in = ResolveFilter(Call("in", {time, List({early, "2026-08-16T10:00:00Z", late})}));
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(in->constants.size(), 1U);
}

TEST(ResolveFilter, CallsLieAtMostTwentyDeep) {
  CallExpression call = Call("exists", {Attr("a")});
  for (int depth = 2; depth <= 20; ++depth) call = Call("not", {Term(std::move(call))});
  EXPECT_TRUE(ResolveFilter(call).ok());
  for (int depth = 21; depth < 5000; ++depth) call = Call("not", {Term(std::move(call))});
  EXPECT_NE(Resolved(call).find("more than 20 deep"), std::string::npos);
}

TEST(ResolveFilter, PatternsAreBounded) {
  const Expression regex = Term(Call("regex", {Attr("a"), Scalar("b+")}));
  CallExpression call = Call("or", std::vector<Expression>(kPatternsMax, regex));
  EXPECT_TRUE(ResolveFilter(call).ok());
  call.args.push_back(regex);
  EXPECT_EQ(Resolved(call), "filter.args[64]: more than 64 patterns");
  const std::string long_pattern(kPatternBytesMax + 1, 'a');
  EXPECT_FALSE(ResolveFilter(Call("regex", {Attr("a"), Scalar(long_pattern)})).ok());
}

TEST(ResolveFilter, WordsAreSingleWords) {
  const auto fulltext = [](const std::string& word) {
    return ResolveFilter(Call("fulltext", {Attr("a"), List({word})})).ok();
  };
  EXPECT_TRUE(fulltext("caf\xC3\xA9"));
  EXPECT_TRUE(fulltext("e\xCC\x81t"));
  EXPECT_TRUE(fulltext(std::string(255, 'a')));
  for (const std::string& word : {std::string(), std::string("a b"), std::string("a-b"),
                                  std::string("a\xFF"), std::string(256, 'a')}) {
    EXPECT_FALSE(fulltext(word)) << word;
  }
  std::string wide;  // U+10400, two UTF-16 code units each
  for (int i = 0; i < 127; ++i) wide += "\xF0\x90\x90\x80";
  EXPECT_TRUE(fulltext(wide + "a"));
  EXPECT_FALSE(fulltext(wide + "\xF0\x90\x90\x80"));
}

TEST(ResolveFilter, SomeBindsEachCollectionOnce) {
  const Expression exists = Term(Call("exists", {Of("event", "name")}));
  const Expression over_events = Term(Call("some", {Nested("event"), exists}));
  EXPECT_TRUE(ResolveFilter(Call("some", {Nested("link"), over_events})).ok());
  EXPECT_TRUE(ResolveFilter(Call("and", {over_events, over_events})).ok());
  EXPECT_FALSE(ResolveFilter(Call("some", {Nested("event"), over_events})).ok());
  EXPECT_FALSE(ResolveFilter(Call("some", {Nested("event"),
                                           Term(Call("some", {Nested("link"), over_events}))}))
                   .ok());
}

TEST(ResolveFilter, TwoConstantsAreRefused) {
  EXPECT_EQ(Resolved(Call("eq", {Scalar("1"), Scalar("2")})),
            "filter: two constants; one side must be an attribute or a field");
}

}  // namespace
}  // namespace larder
