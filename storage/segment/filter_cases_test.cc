// The conformance cases of the legacy search and of the filter tree, asked of every evaluator: the
// naive one, the one over a span, the search over a head.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/filter_corpus.h"
#include "tests/support/reference_evaluator.h"

namespace larder {
namespace {

using Names = std::set<std::string>;
using Type = Constant::Type;

const Names kAll = {"s11", "s12", "s13", "s21", "s22", "s31", "s41", "s51"};

Constant Text(std::string text, Type type = Type::kLegacyText) {
  Constant constant;
  constant.type = type;
  constant.text = std::move(text);
  return constant;
}
Constant Untyped(std::string text) { return Text(std::move(text), Type::kUntyped); }
Constant String(std::string text) { return Text(std::move(text), Type::kString); }
Constant Number(Type type, int64_t number) {
  Constant constant;
  constant.type = type;
  constant.number = number;
  return constant;
}
Constant Int(int64_t number) { return Number(Type::kInt, number); }
Constant Real(double real) {
  Constant constant;
  constant.type = Type::kDouble;
  constant.real = real;
  return constant;
}

FilterNode Leaf(FilterOp op, Operand left, Operand right = Constant{}) {
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
FilterNode Some(FilterNode::Element element, FilterNode condition) {
  FilterNode node = Group(FilterOp::kSome, {std::move(condition)});
  node.element = element;
  return node;
}
FilterNode Members(FilterOp op, Operand left, std::vector<Constant> constants) {
  FilterNode node = Leaf(op, std::move(left));
  node.constants = std::move(constants);
  return node;
}
AttributeRef Any(std::string key, AttributeLevel level = AttributeLevel::kSpanOrResource) {
  return {std::move(key), level};
}
FieldRef Of(Field field) { return {field}; }

class FilterCases : public testing::Test {
 protected:
  FilterCases() : spans_(FilterCorpus()), table_(std::make_shared<SpanTable>()) {
    EXPECT_TRUE(table_->Append(EncodeSpans(spans_), {}).ok());
    table_->Publish();
    source_ = MakeTableSource(table_);
  }

  void Expect(const FilterNode& filter, const Names& expected, TimeRange range = {}) {
    Names naive;
    for (const Span& span : spans_) {
      if (range.contains(span.start_ns) && ReferenceMatches(filter, span)) {
        naive.insert(CorpusName(span.span_id));
      }
    }
    EXPECT_EQ(naive, expected) << "naively";
    EXPECT_EQ(Searched(filter, range), expected) << "by search";
  }

  void ExpectLegacy(const LegacySearch& search, const Names& expected) {
    Expect(LowerLegacySearch(search), expected, search.start);
  }
  void ExpectAttribute(std::string key, const Constant& constant, const Names& expected) {
    LegacySearch search;
    search.attributes.emplace_back(std::move(key), constant);
    ExpectLegacy(search, expected);
  }

  Names Searched(const FilterNode& filter, TimeRange range) {
    Names names;
    auto search = source_->Search(filter, range);
    EXPECT_TRUE(search.ok()) << search.status().ToString();
    for (const uint32_t block : (*search)->candidate_blocks()) {
      std::vector<SpanMatch> matches;
      EXPECT_TRUE((*search)->Match(block, &matches).ok());
      for (const SpanMatch& match : matches) {
        EXPECT_LE(match.start_ns, (*search)->latest_start_ns(block));
        EXPECT_TRUE(range.contains(match.start_ns));
        names.insert(CorpusName(table_->row(match.row).span_id));
      }
    }
    return names;
  }

  const std::vector<Span> spans_;
  const std::shared_ptr<SpanTable> table_;
  std::shared_ptr<const SpanSource> source_;
};

TEST_F(FilterCases, LegacyFields) {
  LegacySearch search;
  search.service = "frontend";
  ExpectLegacy(search, {"s11", "s12"});
  search.operation = "POST /pay";
  ExpectLegacy(search, {"s12"});
  search.service = "payment";
  ExpectLegacy(search, {});
  ExpectLegacy({}, kAll);
}

TEST_F(FilterCases, LegacyDurationsAreInclusive) {
  LegacySearch search;
  search.duration_min_ns = 2'000'000'000;
  ExpectLegacy(search, {"s11", "s13", "s31"});
  search.duration_min_ns = 0;
  search.duration_max_ns = 1'000'000;
  ExpectLegacy(search, {"s22", "s41", "s51"});
}

TEST_F(FilterCases, LegacyTimeRangeIsOfTheMatchingSpan) {
  LegacySearch search;
  search.service = "payment";
  search.start = {kCorpusStartNs, kCorpusStartNs + 15'000'000};
  ExpectLegacy(search, {});
  search.start.max_ns = kCorpusStartNs + 20'000'000;
  ExpectLegacy(search, {"s13"});
  search.start.min_ns = search.start.max_ns;
  ExpectLegacy(search, {"s13"});
}

TEST_F(FilterCases, LegacyAttributesAtAllLevels) {
  ExpectAttribute("exception.type", Text("Timeout"), {"s11"});
  ExpectAttribute("lib.lang", Text("go"), {"s11", "s12"});
  ExpectAttribute("k8s.pod.name", Text("fe-1"), {"s11", "s12"});
  ExpectAttribute("link.kind", Text("child"), {"s11"});
  ExpectAttribute("shared", Text("evt"), {"s11"});
  ExpectAttribute("service.name", Text("worker"), {"s21", "s22", "s31"});
  ExpectAttribute("resource.shared", Text("spn"), {"s13"});
  LegacySearch search;
  search.attributes = {{"http.method", Text("GET")}, {"size", Text("9")}};
  ExpectLegacy(search, {});
  search.attributes[1] = {"deployment.environment", Text("prod")};
  ExpectLegacy(search, {"s11"});
}

TEST_F(FilterCases, LegacyTextMeetsEveryType) {
  ExpectAttribute("http.status_code", Text("500"), {"s11", "s12"});
  ExpectAttribute("http.status_code", Int(500), {"s11", "s12"});
  ExpectAttribute("amount", Text("500"), {"s13"});
  ExpectAttribute("amount", Text("500.0"), {"s13"});
  ExpectAttribute("amount", Real(500), {"s13"});
  ExpectAttribute("amount", Int(500), {"s13"});
  ExpectAttribute("retry", Text("1"), {"s11"});
  ExpectAttribute("retry", Text("true"), {"s11"});
  ExpectAttribute("retry", Number(Type::kBool, 0), {"s21"});
  ExpectAttribute("blob", Text("AAAwOQ=="), {"s51"});
  ExpectAttribute("tags", Text("[\"a\",\"b\"]"), {"s51"});
  ExpectAttribute("obj", Text("{\"a\":1}"), {"s51"});
  ExpectAttribute("note", Text(""), {"s11"});
  ExpectAttribute("no.such", Text(""), {});
}

TEST_F(FilterCases, LegacySpecialKeys) {
  ExpectAttribute("error", Text("true"), {"s11", "s31"});
  ExpectAttribute("error", Number(Type::kBool, 1), {"s11", "s31"});
  ExpectAttribute("error", Text("false"), {"s12", "s13", "s21", "s22", "s41", "s51"});
  ExpectAttribute("error", Text("maybe"), {});
  ExpectAttribute("error", Int(1), {});
  ExpectAttribute("span.kind", Text("SERVER"), {"s11", "s13"});
  ExpectAttribute("span.kind", Text("bogus"), {"s41"});
  ExpectAttribute("span.status", Text("ok"), {"s13", "s22"});
  ExpectAttribute("span.status", Text("bogus"), {"s12", "s21", "s41", "s51"});
  ExpectAttribute("scope.name", Text("otelhttp"), {"s11", "s12"});
  ExpectAttribute("scope.name", Text(""), {"s21", "s22", "s41", "s51"});
  ExpectAttribute("scope.version", Text("3.0.0"), {"s31"});
}

TEST_F(FilterCases, FieldsOfTheSpan) {
  Expect(Leaf(FilterOp::kEq, Of(Field::kName), String("charge")), {"s13"});
  Expect(Leaf(FilterOp::kGt, Of(Field::kName), String("m")), {"s22", "s41", "s51"});
  Expect(Members(FilterOp::kIn, Of(Field::kKind), {String("client"), String("producer")}),
         {"s12", "s22"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kStatus), String("unset")), {"s12", "s21", "s41", "s51"});
  Expect(Leaf(FilterOp::kNe, Of(Field::kStatusMessage), String("other")), {"s11"});
  Expect(Leaf(FilterOp::kGt, Of(Field::kDuration), Number(Type::kDuration, 2'000'000'000)),
         {"s11", "s31"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kDuration), Number(Type::kDuration, 10'000)), {"s41"});
  Expect(Leaf(FilterOp::kGt, Of(Field::kDuration), Number(Type::kDuration, -1)), kAll);
  Expect(Leaf(FilterOp::kGte, Of(Field::kStartTime),
              Number(Type::kTime, static_cast<int64_t>(kCorpusStartNs) + 2'000'000'000)),
         {"s31", "s41", "s51"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kTraceId), String("00abc000000000000000000000000003")),
         {"s31"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kTraceId), String("00ABC000000000000000000000000003")), {});
  Expect(Group(FilterOp::kNot, {Leaf(FilterOp::kExists, Of(Field::kParentSpanId))}),
         {"s11", "s21", "s31", "s51"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kTraceState), String("vendor=a")), {"s11"});
}

TEST_F(FilterCases, FieldsOfResourceAndScope) {
  Expect(
      Group(FilterOp::kNot, {Leaf(FilterOp::kEq, Of(Field::kResourceService), String("worker"))}),
      {"s11", "s12", "s13", "s41", "s51"});
  Expect(Leaf(FilterOp::kExists, Of(Field::kResourceService)),
         {"s11", "s12", "s13", "s21", "s22", "s31", "s51"});
  Expect(Leaf(FilterOp::kExists, Of(Field::kScopeVersion)), {"s11", "s12", "s31"});
  Expect(Leaf(FilterOp::kRegex, Of(Field::kScopeSchemaUrl), Untyped("1\\.22")), {"s11", "s12"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kResourceService), String("uni-\xC3\xA9")), {"s51"});
}

TEST_F(FilterCases, AttributesByType) {
  Expect(Leaf(FilterOp::kEq, Any("http.status_code"), Int(500)), {"s11"});
  Expect(Leaf(FilterOp::kEq, Any("http.status_code"), String("500")), {"s12"});
  Expect(Leaf(FilterOp::kEq, Any("amount"), Untyped("500.00")), {"s13"});
  Expect(Leaf(FilterOp::kGt, Any("size"), Untyped("500")), {"s11", "s12"});
  Expect(Leaf(FilterOp::kGt, Any("size"), Int(500)), {"s11"});
  Expect(Leaf(FilterOp::kLt, Any("size"), Untyped("a")), {"s12"});
  Expect(Leaf(FilterOp::kNe, Any("retry"), Untyped("true")), {"s21"});
  Expect(Leaf(FilterOp::kEq, Any("big"), Untyped("9007199254740993")), {"s51"});
  Expect(Leaf(FilterOp::kEq, Any("big"), Untyped("9007199254740992")), {});
  Expect(Leaf(FilterOp::kLt, Any("dbl"), Real(0)), {"s51"});
  Expect(Leaf(FilterOp::kEq, Any("blob"), Untyped("AAAwOQ==")), {"s51"});
  Expect(Leaf(FilterOp::kNe, Any("no.such"), Untyped("x")), {});
  Expect(Members(FilterOp::kIn, Any("http.status_code"), {Int(404), Int(500)}), {"s11", "s22"});
  Expect(Members(FilterOp::kIn, Any("http.status_code"), {Untyped("404"), Untyped("500")}),
         {"s11", "s12", "s22"});
}

TEST_F(FilterCases, Levels) {
  const auto equals = [](const char* key, AttributeLevel level, const char* value) {
    return Leaf(FilterOp::kEq, Any(key, level), Untyped(value));
  };
  Expect(equals("deployment.environment", AttributeLevel::kResource, "prod"), {"s11", "s12"});
  Expect(equals("deployment.environment", AttributeLevel::kSpan, "prod"), {"s21"});
  Expect(equals("lib.lang", AttributeLevel::kScope, "go"), {"s11", "s12"});
  Expect(equals("exception.type", AttributeLevel::kSpanOrResource, "Timeout"), {});
  Expect(equals("link.kind", AttributeLevel::kLink, "child"), {"s11"});
  Expect(equals("shared", AttributeLevel::kSpanOrResource, "res"), {"s11", "s12"});
  Expect(Leaf(FilterOp::kNe, Any("shared"), Untyped("spn")), {"s12", "s21", "s22"});
}

TEST_F(FilterCases, ReferencesBesideEachOther) {
  Expect(Leaf(FilterOp::kNe, Any("enduser.id", AttributeLevel::kSpan),
              Any("enduser.id", AttributeLevel::kResource)),
         {"s13"});
  Expect(Leaf(FilterOp::kGte, Any("queue.after"), Any("queue.before")), {"s21", "s22"});
  Expect(Leaf(FilterOp::kEq, Any("amount"), Any("size")), {"s13"});
}

TEST_F(FilterCases, EventsAndLinks) {
  const auto phase = [](const char* value) {
    return Group(FilterOp::kAnd,
                 {Leaf(FilterOp::kEq, Of(Field::kEventName), String("late")),
                  Leaf(FilterOp::kEq, Any("phase", AttributeLevel::kEvent), Untyped(value))});
  };
  Expect(phase("a"), {"s13"});
  Expect(Some(FilterNode::Element::kEvent, phase("a")), {});
  Expect(Some(FilterNode::Element::kEvent, phase("b")), {"s13"});
  Expect(Leaf(FilterOp::kEq, Of(Field::kLinkTraceId), String("00abc000000000000000000000000003")),
         {"s11"});
  Expect(Group(FilterOp::kNot, {Leaf(FilterOp::kExists, Of(Field::kLinkTraceId))}),
         {"s12", "s13", "s21", "s22", "s41", "s51"});
  Expect(Leaf(FilterOp::kExists, Of(Field::kLinkTraceState)), {"s11", "s31"});
  Expect(Leaf(FilterOp::kLte, Of(Field::kEventTimeSinceStart), Number(Type::kDuration, 10'000)),
         {"s11", "s13"});
}

TEST_F(FilterCases, BadTreesAreRefused) {
  EXPECT_FALSE(source_->Search(Leaf(FilterOp::kRegex, Any("a"), Untyped("(")), {}).ok());
  EXPECT_FALSE(source_->Search(Leaf(FilterOp::kEq, Untyped("a"), Untyped("a")), {}).ok());
  EXPECT_FALSE(source_->Search(Group(FilterOp::kNot, {}), {}).ok());
  FilterNode deep;
  for (int i = 0; i < 1000; ++i) deep = Group(FilterOp::kNot, {deep});
  EXPECT_FALSE(source_->Search(deep, {}).ok());
}

}  // namespace
}  // namespace larder
