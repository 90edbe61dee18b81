// Cases over the spans of the cases file that the file has not: typed constants and empty texts of
// the legacy search, borders of a time range, and trees that no filter on the wire becomes.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/filter/searched_cases.h"

namespace larder {
namespace {

using Names = std::set<std::string>;
using Type = Constant::Type;

constexpr uint64_t kBaseNs = 1'786'874'400'000'000'000;  // base_time_unix_nano
const Names kAll = {"s11", "s12", "s13", "s21", "s22", "s31", "s41", "s51"};

Constant Text(std::string text) { return {.type = Type::kLegacyText, .text = std::move(text)}; }
Constant Untyped(std::string text) { return {.type = Type::kUntyped, .text = std::move(text)}; }
Constant Number(Type type, int64_t number) { return {.type = type, .number = number}; }

class MoreFilterCases : public SearchedCases {
 protected:
  void ExpectSpans(const FilterNode& filter, const Names& aliases, TimeRange range = {}) {
    Names ids;
    for (const std::string& alias : aliases) ids.insert(file_.SpanId(alias));
    Expect("main", filter, range, ids);
  }
  void ExpectAttribute(std::string key, const Constant& constant, const Names& aliases) {
    SCOPED_TRACE(key + " " + constant.text);
    LegacySearch search;
    search.attributes.emplace_back(std::move(key), constant);
    ExpectSpans(LowerLegacySearch(search), aliases);
  }
  void ExpectRefused(const FilterNode& filter) {
    for (const auto& [name, source] : sources_.at("main")) {
      EXPECT_EQ(source->Search(filter, {}, SearchBudget::Unbounded()).status().code(),
                StatusCode::kInvalidArgument)
          << name;
    }
  }
};

TEST_F(MoreFilterCases, ALegacySearchForNothingFindsAll) {
  ExpectSpans(LowerLegacySearch({}), kAll);
}

TEST_F(MoreFilterCases, LegacyTimeRangeIsInclusive) {
  LegacySearch search;
  search.service = "payment";
  const FilterNode filter = LowerLegacySearch(search);
  constexpr uint64_t kStartNs = kBaseNs + 20'000'000;  // of s13
  ExpectSpans(filter, {"s13"}, {kBaseNs, kStartNs});
  ExpectSpans(filter, {"s13"}, {kStartNs, kStartNs});
  ExpectSpans(filter, {}, {kBaseNs, kStartNs - 1});
  ExpectSpans(filter, {}, {kStartNs + 1, UINT64_MAX});
}

TEST_F(MoreFilterCases, LegacyConstantsMeetEveryType) {
  ExpectAttribute("http.status_code", Text("500"), {"s11", "s12"});
  ExpectAttribute("amount", {.type = Type::kDouble, .real = 500}, {"s13"});
  ExpectAttribute("amount", Number(Type::kInt, 500), {"s13"});
  ExpectAttribute("retry", Number(Type::kBool, 0), {"s21"});
  ExpectAttribute("tags", Text("[\"a\",\"b\"]"), {"s51"});
  ExpectAttribute("obj", Text("{\"a\":1}"), {"s51"});
  ExpectAttribute("note", Text(""), {"s11"});
  ExpectAttribute("no.such", Text(""), {});
  ExpectAttribute("link.kind", Text("child"), {"s11"});
  ExpectAttribute("resource.shared", Text("spn"), {"s13"});
}

TEST_F(MoreFilterCases, LegacySpecialKeys) {
  ExpectAttribute("error", Text("false"), {"s12", "s13", "s21", "s22", "s41", "s51"});
  ExpectAttribute("span.status", Text("ok"), {"s13", "s22"});
  ExpectAttribute("scope.name", Text(""), {"s21", "s22", "s41", "s51"});
  ExpectAttribute("scope.version", Text("3.0.0"), {"s31"});
}

TEST_F(MoreFilterCases, ConstantsOfATree) {
  ExpectSpans(
      FilterNode::Leaf(FilterOp::kGt, FieldRef{Field::kDuration}, Number(Type::kDuration, -1)),
      kAll);
  FilterNode members = FilterNode::Leaf(FilterOp::kIn, AttributeRef{"http.status_code"});
  members.constants = {Untyped("404"), Untyped("500")};
  ExpectSpans(members, {"s11", "s12", "s22"});
}

TEST_F(MoreFilterCases, EventsAreBoundBySomeAlone) {
  const auto phase = [](const char* value) {
    return FilterNode::Group(
        FilterOp::kAnd,
        {FilterNode::Leaf(FilterOp::kEq, FieldRef{Field::kEventName},
                          Constant{.type = Type::kString, .text = "late"}),
         FilterNode::Leaf(FilterOp::kEq, AttributeRef{"phase", AttributeLevel::kEvent},
                          Untyped(value))});
  };
  ExpectSpans(phase("a"), {"s13"});
  ExpectSpans(FilterNode::Group(FilterOp::kSome, {phase("a")}), {});
  ExpectSpans(FilterNode::Group(FilterOp::kSome, {phase("b")}), {"s13"});
}

TEST_F(MoreFilterCases, BadTreesAreRefused) {
  ExpectRefused(FilterNode::Leaf(FilterOp::kRegex, AttributeRef{"a"}, Untyped("(")));
  ExpectRefused(FilterNode::Leaf(FilterOp::kEq, Untyped("a"), Untyped("a")));
  ExpectRefused(FilterNode::Group(FilterOp::kNot, {}));
  FilterNode deep;
  for (int i = 0; i < 1000; ++i) deep = FilterNode::Group(FilterOp::kNot, {deep});
  ExpectRefused(deep);
}

}  // namespace
}  // namespace larder
