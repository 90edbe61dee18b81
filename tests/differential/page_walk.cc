#include "tests/differential/page_walk.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

std::string Encoded(const Span& span) { return EncodeSpans({span}); }

class SpanPages : public PageWalk {
 public:
  SpanPages(const SpanQuery& query, const ReferenceStore& now)
      : query_(query), order_(query.order) {
    for (const Span& span : now.FindSpans(query)) wanted_.insert(Encoded(span));
  }

  std::string Step(Subject* subject) override {
    std::vector<Span> spans;
    std::optional<SpanPosition> next;
    const auto cursor = subject->FindSpans(query_);
    const std::string wrong = ReadPage(cursor.get(), &spans, &next);
    if (!wrong.empty()) return wrong;
    if (spans.size() > query_.page_size) return "a page too large";
    if (next && spans.size() < query_.page_size) return "a page too small, and not the last";
    for (const Span& span : spans) {
      const SpanKey key = KeyOf(span);
      if (last_ && order_.Compare(key, *last_) < 0) return "out of order";
      last_ = key;
      if (!seen_.insert(Encoded(span)).second) return "a span for the second time";
    }
    query_.after = next;
    is_over_ = !next;
    return "";
  }

  bool is_over() const override { return is_over_; }

  std::string Verify(const ReferenceStore& now) const override {
    for (const std::string& span : wanted_) {
      if (!seen_.contains(span)) return "a span is missing of " + std::to_string(wanted_.size());
    }
    SpanQuery all = query_;
    std::set<std::string> known;
    for (const Span& span : now.FindSpans(all)) known.insert(Encoded(span));
    for (const std::string& span : seen_) {
      if (!known.contains(span)) return "a span that does not match, or never was";
    }
    return "";
  }

 private:
  SpanQuery query_;
  const SpanOrder order_;
  std::set<std::string> wanted_;
  std::set<std::string> seen_;
  std::optional<SpanKey> last_;
  bool is_over_ = false;
};

class TracePages : public PageWalk {
 public:
  TracePages(const TraceQuery& query, const ReferenceStore& now) : query_(query) {
    TraceQuery all = query;
    all.depth = UINT32_MAX;
    for (const FoundTrace& found : now.Find(all)) {
      wanted_[found.trace_id] = now.Trace(found.trace_id).size();
    }
    query_.says_next = true;
  }

  std::string Step(Subject* subject) override {
    const auto answer = subject->FindTraceIds(query_);
    if (!answer.ok()) return "failed: " + answer.status().ToString();
    if (!answer->gaps.empty()) return "gap: " + answer->gaps[0].reason;
    if (answer->next && answer->values.size() != query_.depth) return "a page of the wrong size";
    for (const FoundTrace& found : answer->values) ++seen_[found.trace_id];
    query_.after = answer->next;
    is_over_ = !answer->next;
    return "";
  }

  bool is_over() const override { return is_over_; }

  // A trace that got new spans on the way may have moved, and be missed or come up again.
  std::string Verify(const ReferenceStore& now) const override {
    for (const auto& [id, spans] : wanted_) {
      if (now.Trace(id).size() != spans) continue;
      const auto seen = seen_.find(id);
      if (seen == seen_.end()) return "a trace is missing of " + std::to_string(wanted_.size());
      if (seen->second != 1) return "a trace for the second time";
    }
    return "";
  }

 private:
  TraceQuery query_;
  std::map<TraceId, size_t> wanted_;  // with the number of spans
  std::map<TraceId, int> seen_;
  bool is_over_ = false;
};

}  // namespace

std::vector<SpanSort> RandomOrder(Random* random) {
  std::vector<SpanSortField> fields = {SpanSortField::kStartTime, SpanSortField::kDuration,
                                       SpanSortField::kTraceId, SpanSortField::kSpanId};
  std::vector<SpanSort> order;
  for (uint64_t i = random->Below(5); i > 0; --i) {
    const auto field = fields.begin() + static_cast<std::ptrdiff_t>(random->Below(fields.size()));
    order.push_back({*field, random->OneIn(2)});
    fields.erase(field);
  }
  return order;
}

std::string ReadPage(SpanCursor* cursor, std::vector<Span>* spans,
                     std::optional<SpanPosition>* next) {
  next->reset();
  for (;;) {
    const Result<SpanChunk> chunk = cursor->Next();
    if (!chunk.ok()) return "failed: " + chunk.status().ToString();
    if (!cursor->gaps().empty()) return "gap: " + cursor->gaps()[0].reason;
    if (chunk->end) return "";
    if (*next) return "a chunk after the last one";
    const auto decoded = DecodeSpans(chunk->traces_data);
    if (!decoded.ok() || decoded->empty()) return "a chunk that is empty or not TracesData";
    if (chunk->traces_data.size() > (2u << 20) && decoded->size() > 1) return "a chunk too large";
    spans->insert(spans->end(), decoded->begin(), decoded->end());
    *next = chunk->next;
  }
}

std::unique_ptr<PageWalk> NewSpanWalk(const SpanQuery& query, const ReferenceStore& now) {
  return std::make_unique<SpanPages>(query, now);
}

std::unique_ptr<PageWalk> NewTraceWalk(const TraceQuery& query, const ReferenceStore& now) {
  return std::make_unique<TracePages>(query, now);
}

}  // namespace larder
