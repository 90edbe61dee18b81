#include "bench/query_filters.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "storage/filter/resolve.h"
#include "storage/model/table/span_filter.h"
#include "tests/support/reference_evaluator.h"

namespace larder::bench {
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
Expression List(std::vector<std::string> values) { return {ListExpression{std::move(values), ""}}; }
Expression Call(std::string op, std::vector<Expression> args) {
  return {CallExpression{std::move(op), std::move(args)}};
}
Expression Is(Expression left, std::string value) {
  return Call("eq", {std::move(left), Scalar(std::move(value))});
}

using Pair = std::pair<std::string, std::string>;

// Values to ask for, by how often they come.
class Facts {
 public:
  explicit Facts(const std::vector<Span>& spans) {
    for (const Span& span : spans) {
      ++services_[std::string(span.resource->service())];
      ++names_[span.name];
      for (const Attribute& attribute : span.attributes) {
        if (attribute.type == ValueType::kString) ++texts_[{attribute.key, attribute.payload}];
        if (attribute.type == ValueType::kInt) ++ints_[attribute.key];
      }
      for (const Event& event : span.events) ++events_[event.name];
    }
    FindNeverMeeting(spans);
  }

  std::string service() const { return Most(services_); }
  std::string name() const { return Most(names_); }
  Pair text() const { return Most(texts_); }
  Pair rare_text() const { return Least(texts_); }
  std::string int_key() const { return Most(ints_); }
  std::string event() const { return Most(events_); }
  // Two frequent values of different keys that no span carries together.
  const std::optional<std::pair<Pair, Pair>>& never_meeting() const { return never_meeting_; }

 private:
  template <typename K>
  static K Most(const std::map<K, uint64_t>& counts) {
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts.end() ? K() : most->first;
  }
  template <typename K>
  static K Least(const std::map<K, uint64_t>& counts) {
    const auto least =
        std::min_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return least == counts.end() ? K() : least->first;
  }

  void FindNeverMeeting(const std::vector<Span>& spans) {
    constexpr size_t kFrequent = 40;
    std::vector<std::pair<uint64_t, Pair>> by_count;
    for (const auto& [pair, count] : texts_) by_count.emplace_back(count, pair);
    std::sort(by_count.rbegin(), by_count.rend());
    by_count.resize(std::min(by_count.size(), kFrequent));
    std::map<Pair, size_t> numbers;
    for (const auto& [count, pair] : by_count) numbers.emplace(pair, numbers.size());
    std::set<std::pair<size_t, size_t>> met;
    for (const Span& span : spans) {
      std::vector<size_t> carried;
      for (const Attribute& attribute : span.attributes) {
        const auto number = numbers.find({attribute.key, attribute.payload});
        if (number != numbers.end()) carried.push_back(number->second);
      }
      for (const size_t a : carried) {
        for (const size_t b : carried) met.emplace(a, b);
      }
    }
    for (size_t b = 1; b < by_count.size() && !never_meeting_; ++b) {
      for (size_t a = 0; a < b && !never_meeting_; ++a) {
        const Pair& first = by_count[a].second;
        const Pair& second = by_count[b].second;
        if (first.first == second.first || met.contains({a, b})) continue;
        never_meeting_.emplace(first, second);
      }
    }
  }

  std::map<std::string, uint64_t> services_;
  std::map<std::string, uint64_t> names_;
  std::map<Pair, uint64_t> texts_;
  std::map<std::string, uint64_t> ints_;
  std::map<std::string, uint64_t> events_;
  std::optional<std::pair<Pair, Pair>> never_meeting_;
};

struct NamedExpression {
  std::string name;
  Expression call;
};

void AddFieldShapes(const Facts& facts, const Span& span, std::vector<NamedExpression>* shapes) {
  const Expression service = Is(Of("resource", "service"), facts.service());
  shapes->push_back({"resource.service eq", service});
  shapes->push_back({"kind eq and status eq", Call("and", {Is(Of("span", "kind"), "server"),
                                                           Is(Of("span", "status"), "error")})});
  shapes->push_back({"not service eq", Call("not", {service})});
  shapes->push_back({"name regex", Call("regex", {Of("span", "name"),
                                                  Scalar(facts.name().substr(0, 3) + ".*")})});
  shapes->push_back({"duration gte 100ms", Call("gte", {Of("span", "duration"), Scalar("100ms")})});
  shapes->push_back({"duration gt 1h (none)", Call("gt", {Of("span", "duration"), Scalar("1h")})});
  shapes->push_back({"not duration lt 100ms",
                     Call("not", {Call("lt", {Of("span", "duration"), Scalar("100ms")})})});
  shapes->push_back({"no parent", Call("not", {Call("exists", {Of("span", "parentSpanID")})})});
  shapes->push_back({"traceID eq", Is(Of("span", "traceID"), HexText(span.trace_id.view()))});
  shapes->push_back({"traceID eq and spanID eq",
                     Call("and", {Is(Of("span", "traceID"), HexText(span.trace_id.view())),
                                  Is(Of("span", "spanID"), HexText(span.span_id.view()))})});
  shapes->push_back({"spanID eq", Is(Of("span", "spanID"), HexText(span.span_id.view()))});
  shapes->push_back({"startTime gt endTime (none)",
                     Call("gt", {Of("span", "startTime"), Of("span", "endTime")})});
}

void AddAttributeShapes(const Facts& facts, std::vector<NamedExpression>* shapes) {
  const auto [key, text] = facts.text();
  const auto [rare_key, rare_text] = facts.rare_text();
  if (key.empty()) return;
  shapes->push_back({"attribute eq, frequent", Is(Attr(key), text)});
  shapes->push_back({"attribute eq, once seen", Is(Attr(rare_key), rare_text)});
  shapes->push_back({"attribute eq, absent", Is(Attr(key), "no such value")});
  shapes->push_back({"attribute in 3", Call("in", {Attr(key), List({text, "x", "y"})})});
  shapes->push_back({"attribute ne", Call("ne", {Attr(key), Scalar(text)})});
  shapes->push_back({"not attribute eq", Call("not", {Is(Attr(key), text)})});
  shapes->push_back({"attribute exists", Call("exists", {Attr(key)})});
  shapes->push_back({"no such attribute (none)", Call("exists", {Attr("no.such.key")})});
  shapes->push_back(
      {"attribute regex", Call("regex", {Attr(key), Scalar(text.substr(0, 2) + ".*")})});
  shapes->push_back(
      {"attribute regex (none)", Call("regex", {Attr(key), Scalar("no such [a-z]+ value")})});
  shapes->push_back(
      {"attribute fulltext (none)", Call("fulltext", {Attr(key), List({"unicorn"})})});
  shapes->push_back({"attribute gt, as text", Call("gt", {Attr(key), Scalar("zzzz")})});
  shapes->push_back({"attribute of span ne of resource",
                     Call("ne", {Attr(key, "span"), Attr("service.name", "resource")})});
  if (!facts.int_key().empty()) {
    shapes->push_back(
        {"int attribute gte", Call("gte", {Attr(facts.int_key()), Scalar("100", "int")})});
    shapes->push_back({"int attribute lt (none)",
                       Call("lt", {Attr(facts.int_key()), Scalar("-1000000", "int")})});
  }
  if (facts.never_meeting()) {
    const auto& [a, b] = *facts.never_meeting();
    shapes->push_back({"two frequent values that never meet (none)",
                       Call("and", {Is(Attr(a.first), a.second), Is(Attr(b.first), b.second)})});
    shapes->push_back({"either of two frequent values",
                       Call("or", {Is(Attr(a.first), a.second), Is(Attr(b.first), b.second)})});
  }
}

void AddEventShapes(const Facts& facts, std::vector<NamedExpression>* shapes) {
  if (facts.event().empty()) return;
  const Expression named = Is(Of("event", "name"), facts.event());
  const Expression late = Call("gt", {Of("event", "timeSinceStart"), Scalar("1ms")});
  shapes->push_back({"event name eq", named});
  shapes->push_back({"event name eq (none)", Is(Of("event", "name"), "no such event")});
  shapes->push_back(
      {"some event", Call("some", {{NestedExpression{"event"}}, Call("and", {named, late})})});
  shapes->push_back({"service eq and some event (none)",
                     Call("and", {Is(Of("resource", "service"), facts.service()),
                                  Call("some", {{NestedExpression{"event"}},
                                                Is(Of("event", "name"), "no such event")})})});
}

}  // namespace

Result<std::vector<NamedFilter>> FiltersByShape(const std::vector<Span>& spans) {
  const Facts facts(spans);
  std::vector<NamedExpression> shapes;
  AddFieldShapes(facts, spans.front(), &shapes);
  AddAttributeShapes(facts, &shapes);
  AddEventShapes(facts, &shapes);
  std::vector<NamedFilter> filters;
  for (const NamedExpression& shape : shapes) {
    auto filter = ResolveFilter(std::get<CallExpression>(shape.call.term));
    if (!filter.ok()) return filter.status().With(shape.name);
    filters.push_back({shape.name, std::move(filter).value()});
  }
  return filters;
}

bool TraceMatches(const std::vector<Span>& trace, const FilterNode& filter) {
  return std::any_of(trace.begin(), trace.end(),
                     [&](const Span& span) { return ReferenceMatches(filter, span); });
}

}  // namespace larder::bench
