#include "tests/differential/checker.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "tests/differential/page_walk.h"
#include "tests/support/jaeger_summary.h"

namespace larder {
namespace {

std::string Hex(const TraceId& id) {
  std::string hex;
  for (const uint8_t byte : id.bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    hex += digits;
  }
  return hex;
}

std::string Describe(const TraceQuery& query) {
  return "start [" + std::to_string(query.start.min_ns) + ", " +
         std::to_string(query.start.max_ns) + "], depth " + std::to_string(query.depth);
}

std::string Describe(const SpanQuery& query) {
  std::string text = "start [" + std::to_string(query.start.min_ns) + ", " +
                     std::to_string(query.start.max_ns) + "], page of " +
                     std::to_string(query.page_size) + ", order";
  for (const SpanSort& term : query.order) {
    text += " " + std::to_string(static_cast<int>(term.field)) + (term.descending ? "-" : "+");
  }
  return text + ", filter " + FilterToText(query.filter);
}

// A trace as a sorted list of encoded spans, so that order and grouping do not count.
std::vector<std::string> Canonical(const std::vector<Span>& spans) {
  std::vector<std::string> encoded;
  for (const Span& span : spans) encoded.push_back(EncodeSpans({span}));
  std::sort(encoded.begin(), encoded.end());
  return encoded;
}

std::string CompareSpans(const TraceId& id, const std::vector<Span>& expected,
                         const std::vector<Span>& answered) {
  if (Canonical(expected) == Canonical(answered)) return "";
  return "trace " + Hex(id) + " has " + std::to_string(expected.size()) + " spans, answered were " +
         std::to_string(answered.size()) + " others";
}

// The root may be any of several that start first: while the store moves spans about, their order
// may have changed between two questions.
std::string CompareSummaries(const JaegerSummary& jaegers, const TraceSummary& ours) {
  const TraceSummary& theirs = jaegers.summary;
  if (ours.trace_id != theirs.trace_id) return "of another trace";
  const bool has_root = !jaegers.roots.empty();
  if (has_root ? !jaegers.roots.contains({ours.root_service, ours.root_operation})
               : !(ours.root_service + ours.root_operation).empty()) {
    return "root " + ours.root_service + " " + ours.root_operation;
  }
  if (ours.min_start_ns != theirs.min_start_ns || ours.max_end_ns != theirs.max_end_ns) {
    return "extent";
  }
  if (ours.span_count != theirs.span_count) return "spans";
  if (ours.error_span_count != theirs.error_span_count) return "errors";
  if (ours.orphan_span_count != theirs.orphan_span_count) {
    return std::to_string(ours.orphan_span_count) + " orphans, not " +
           std::to_string(theirs.orphan_span_count);
  }
  return ours.services == theirs.services ? "" : "services";
}

// Empty, or what is wrong with the stream.
std::string ReadTraces(TraceCursor* cursor, std::map<TraceId, std::vector<Span>>* traces) {
  for (;;) {
    const Result<TraceChunk> chunk = cursor->Next();
    if (!chunk.ok()) return "failed: " + chunk.status().ToString();
    if (chunk->end) return "";
    const auto decoded = DecodeSpans(chunk->traces_data);
    if (!decoded.ok()) return "a chunk that is not TracesData";
    std::vector<Span>& spans = (*traces)[chunk->trace_id];
    spans.insert(spans.end(), decoded->begin(), decoded->end());
  }
}

// Empty, or why the answer cannot be compared.
template <typename T>
std::string Trouble(const Result<Answer<T>>& answer) {
  if (!answer.ok()) return "failed: " + answer.status().ToString();
  if (!answer->gaps.empty()) return "gap: " + answer->gaps[0].place + ": " + answer->gaps[0].reason;
  return "";
}

std::string Named(const std::string& question, const std::string& wrong) {
  return wrong.empty() ? "" : question + ": " + wrong;
}

}  // namespace

std::string Checker::Ask() {
  ++asked_;
  if (spans_->empty()) return "";
  switch (random_->Below(20)) {
    case 0:
    case 1:
      return AskById();
    case 2:
      return AskServices();
    case 3:
    case 4: {
      const TraceQuery query = RandomQuery();
      return Named("summaries, " + Describe(query), AskSummaries(query));
    }
    case 5:
    case 6:
    case 7: {
      const TraceQuery query = RandomQuery();
      return Named("traces, " + Describe(query), AskTraces(query));
    }
    case 14:
    case 15:
    case 16: {
      const SpanQuery query = RandomSpanQuery();
      return Named("spans, " + Describe(query), AskSpans(query));
    }
    case 17: {
      const TraceQuery query = RandomQuery();
      return Named("ids in pages, " + Describe(query), AskIdsInPages(query));
    }
    case 18:
    case 19:
      return asks_dependencies_ ? AskDependencies() : AskById();
    default: {
      const TraceQuery query = RandomQuery();
      return Named("ids, " + Describe(query), AskIds(query));
    }
  }
}

TimeRange Checker::RandomRange() {
  if (random_->OneIn(2)) return filters_.Range();
  const uint64_t a = (*spans_)[random_->Below(spans_->size())].start_ns;
  const uint64_t b = (*spans_)[random_->Below(spans_->size())].start_ns;
  return {std::min(a, b), std::max(a, b)};
}

FilterNode Checker::RandomFilter() {
  if (random_->OneIn(8)) return NamedTraceFilter();
  if (random_->OneIn(2)) return filters_.Tree(static_cast<uint32_t>(random_->Below(3)));
  return random_->OneIn(3) ? FilterNode() : LowerLegacySearch(filters_.Legacy());
}

// A look-up by key: a few trace ids, and perhaps something more that must hold.
FilterNode Checker::NamedTraceFilter() {
  FilterNode ids;
  ids.op = FilterOp::kIn;
  ids.left = FieldRef{Field::kTraceId};
  for (uint64_t i = random_->Between(1, 4); i > 0; --i) {
    Constant id;
    id.type = Constant::Type::kString;
    id.text = Hex((*spans_)[random_->Below(spans_->size())].trace_id);
    if (random_->OneIn(8)) id.text[0] = random_->OneIn(2) ? 'X' : 'f';
    ids.constants.push_back(id);
  }
  if (random_->OneIn(2)) return ids;
  const FilterOp op = random_->OneIn(4) ? FilterOp::kOr : FilterOp::kAnd;
  return FilterNode::Group(op, {ids, filters_.Tree(1)});
}

TraceQuery Checker::RandomQuery() {
  TraceQuery query;
  query.filter = RandomFilter();
  query.start = random_->OneIn(3) ? TimeRange() : RandomRange();
  query.depth = static_cast<uint32_t>(random_->OneIn(4) ? 10'000 : random_->Between(1, 20));
  return query;
}

SpanQuery Checker::RandomSpanQuery() {
  SpanQuery query;
  query.filter = RandomFilter();
  query.start = random_->OneIn(3) ? TimeRange() : RandomRange();
  query.order = RandomOrder(random_);
  query.page_size = static_cast<uint32_t>(random_->OneIn(2) ? 10'000 : random_->Between(3, 100));
  return query;
}

std::string Checker::AskSpans(SpanQuery query) {
  const std::vector<Span> expected = reference_->FindSpans(query);
  std::vector<Span> answered;
  size_t pages = 0;
  do {
    std::vector<Span> page;
    const auto cursor = subject_->FindSpans(query);
    std::string wrong = ReadPage(cursor.get(), &page, &query.after);
    if (!wrong.empty()) return wrong;
    answered.insert(answered.end(), page.begin(), page.end());
    if (++pages > expected.size() / query.page_size + 1) return "a page too many";
  } while (query.after);
  if (expected.size() != answered.size()) {
    return "expected " + std::to_string(expected.size()) + " spans, answered were " +
           std::to_string(answered.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (KeyOf(expected[i]) != KeyOf(answered[i]))
      return "another span in place " + std::to_string(i);
  }
  return Canonical(expected) == Canonical(answered) ? "" : "a span differs";
}

std::string Checker::AskIdsInPages(TraceQuery query) {
  query.depth = static_cast<uint32_t>(random_->Between(2, 20));
  const auto walk = NewTraceWalk(query, *reference_);
  while (!walk->is_over()) {
    std::string wrong = walk->Step(subject_);
    if (!wrong.empty()) return wrong;
  }
  return walk->Verify(*reference_);
}

std::string Checker::AskIds(const TraceQuery& query) {
  const auto answer = subject_->FindTraceIds(query);
  if (std::string trouble = Trouble(answer); !trouble.empty()) return trouble;
  const std::vector<FoundTrace> expected = reference_->Find(query);
  if (answer->values.size() != expected.size()) {
    return "expected " + std::to_string(expected.size()) + " traces, answered were " +
           std::to_string(answer->values.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const FoundTrace& a = expected[i];
    const FoundTrace& b = answer->values[i];
    if (a.trace_id != b.trace_id || a.latest_match_ns != b.latest_match_ns) {
      return "place " + std::to_string(i) + " is for " + Hex(a.trace_id) + " at " +
             std::to_string(a.latest_match_ns) + ", answered was " + Hex(b.trace_id) + " at " +
             std::to_string(b.latest_match_ns);
    }
    if (a.min_start_ns != b.min_start_ns || a.max_end_ns != b.max_end_ns) {
      return "extent of " + Hex(a.trace_id);
    }
  }
  return "";
}

std::string Checker::AskTraces(const TraceQuery& query) {
  std::vector<TraceId> expected;
  for (const FoundTrace& found : reference_->Find(query)) expected.push_back(found.trace_id);
  return CompareTraces(subject_->FindTraces(query).get(), expected);
}

// Against what Jaeger makes of the spans that were sent, and of those that FindTraces answers.
std::string Checker::AskSummaries(const TraceQuery& query) {
  const auto answer = subject_->FindSummaries(query);
  if (std::string trouble = Trouble(answer); !trouble.empty()) return trouble;
  const std::vector<FoundTrace> expected = reference_->Find(query);
  if (answer->values.size() != expected.size()) return "number of summaries";
  std::map<TraceId, std::vector<Span>> found;
  std::string wrong = ReadTraces(subject_->FindTraces(query).get(), &found);
  if (!wrong.empty()) return wrong;
  for (size_t i = 0; i < expected.size(); ++i) {
    const TraceId& id = expected[i].trace_id;
    for (const std::vector<Span>& spans : {reference_->Trace(id), found[id]}) {
      const std::string difference = CompareSummaries(SummariseAsJaeger(spans), answer->values[i]);
      if (!difference.empty()) return "summary of " + Hex(id) + ": " + difference;
    }
  }
  return "";
}

std::string Checker::AskById() {
  std::vector<TraceId> asked;
  std::vector<TraceId> expected;
  for (uint64_t i = random_->Between(1, 4); i > 0; --i) {
    TraceId id = (*spans_)[random_->Below(spans_->size())].trace_id;
    if (random_->OneIn(6)) id.bytes[3] ^= 0x40;  // unknown
    asked.push_back(id);
    const bool is_repeat = std::find(expected.begin(), expected.end(), id) != expected.end();
    if (!reference_->Trace(id).empty() && !is_repeat) expected.push_back(id);
  }
  return Named("traces by id", CompareTraces(subject_->GetTraces(asked).get(), expected));
}

std::string Checker::AskEveryTrace() {
  ++asked_;
  std::vector<TraceId> ids;
  for (const auto& [id, spans] : reference_->traces()) ids.push_back(id);
  return Named("every trace", CompareTraces(subject_->GetTraces(ids).get(), ids));
}

std::string Checker::AskServices() {
  const auto services = subject_->Services();
  if (std::string trouble = Trouble(services); !trouble.empty()) return "services " + trouble;
  if (services->values != reference_->Services()) return "services differ";
  const std::string service((*spans_)[random_->Below(spans_->size())].resource->service());
  const auto kind = static_cast<int32_t>(random_->Below(7)) - 1;
  const auto operations = subject_->Operations(service, kind);
  if (std::string trouble = Trouble(operations); !trouble.empty()) {
    return "operations " + trouble;
  }
  if (operations->values == reference_->Operations(service, kind)) return "";
  return "operations of " + service + ", kind " + std::to_string(kind) + " differ";
}

std::string Checker::AskDependencies() {
  const TimeRange range = random_->OneIn(4) ? TimeRange() : RandomRange();
  const std::string question =
      "dependencies [" + std::to_string(range.min_ns) + ", " + std::to_string(range.max_ns) + "]";
  const auto answer = subject_->Dependencies(range);
  if (std::string trouble = Trouble(answer); !trouble.empty()) return question + trouble;
  const std::vector<Dependency> expected = reference_->Dependencies(range);
  if (answer->values == expected) return "";
  std::string wrong = question + ", expected";
  for (const Dependency& d : expected) {
    wrong += " " + d.parent + ">" + d.child + "=" + std::to_string(d.call_count);
  }
  wrong += ", answered";
  for (const Dependency& d : answer->values) {
    wrong += " " + d.parent + ">" + d.child + "=" + std::to_string(d.call_count);
  }
  return wrong;
}

std::string Checker::CompareTraces(TraceCursor* cursor, const std::vector<TraceId>& expected) {
  std::vector<TraceId> order;
  std::vector<Span> spans;  // of the last trace
  for (;;) {
    Result<TraceChunk> chunk = cursor->Next();
    if (!chunk.ok()) return "failed: " + chunk.status().ToString();
    const bool is_next = chunk->end || order.empty() || order.back() != chunk->trace_id;
    if (is_next && !order.empty()) {
      std::string wrong = CompareSpans(order.back(), reference_->Trace(order.back()), spans);
      if (!wrong.empty()) return wrong;
      spans.clear();
    }
    if (chunk->end) break;
    if (is_next) order.push_back(chunk->trace_id);
    const auto decoded = DecodeSpans(chunk->traces_data);
    if (!decoded.ok() || decoded->empty()) return "a chunk that is empty or not TracesData";
    if (chunk->traces_data.size() > (2u << 20) && decoded->size() > 1) return "a chunk too large";
    for (const Span& span : *decoded) {
      if (span.trace_id != chunk->trace_id) return "a chunk with spans of two traces";
      spans.push_back(span);
    }
  }
  if (!cursor->gaps().empty()) return "gap: " + cursor->gaps()[0].reason;
  if (order != expected) {
    return "expected " + std::to_string(expected.size()) + " traces, answered were " +
           std::to_string(order.size()) + ", or in another order";
  }
  return "";
}

}  // namespace larder
