#include "storage/query/traces/summaries.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/query/traces/trace_facts.h"

namespace larder {
namespace {

constexpr int32_t kStatusError = 2;  // opentelemetry Status.StatusCode

// Adds up one trace. Spans that turn out to be repeats are taken out again; of those another copy
// stays, so that only the counts change.
class Summary {
 public:
  explicit Summary(QueryContext* context) : memory_(context) {}

  Status Add(uint32_t place, const SpanFacts& span) {
    const SpanRef ref{span.span_id, place, span.row};
    spans_.push_back(ref);
    if (!span.parent_span_id.is_zero()) children_.push_back({ref, span.parent_span_id});
    Count(span, 1);
    min_start_ns_ = std::min(min_start_ns_, span.start_ns);
    max_end_ns_ = std::max(max_end_ns_, span.end_ns);
    if (span.parent_span_id.is_zero()) OfferRoot(span);
    return memory_.Resize(spans_.capacity() * sizeof(SpanRef) +
                          children_.capacity() * sizeof(Child));
  }

  // The spans added, sorted.
  const std::vector<SpanRef>& Sort() {
    std::sort(spans_.begin(), spans_.end());
    return spans_;
  }

  // REQUIRES: `span` is equal in every field to another span that was added and stays.
  void Remove(const SpanRef& ref, const SpanFacts& span) {
    Count(span, uint32_t{0} - 1);
    removed_.push_back(ref);
  }

  // REQUIRES: Sort was called after the last Add.
  TraceSummary Finish(const TraceId& trace_id) {
    std::sort(removed_.begin(), removed_.end());
    TraceSummary summary;
    summary.trace_id = trace_id;
    if (has_root_) {
      summary.root_service = std::get<1>(root_);
      summary.root_operation = std::get<2>(root_);
    }
    summary.span_count = static_cast<uint32_t>(spans_.size() - removed_.size());
    if (!spans_.empty()) {
      summary.min_start_ns = min_start_ns_;
      summary.max_end_ns = max_end_ns_;
    }
    summary.orphan_span_count = CountOrphans();
    for (const auto& [service, counts] : services_) {
      summary.error_span_count += counts.errors;
      summary.services.push_back({service, counts.spans, counts.errors});
    }
    return summary;
  }

 private:
  struct Child {
    SpanRef span;
    SpanId parent;
  };
  struct Counts {
    uint32_t spans = 0;
    uint32_t errors = 0;
  };

  void Count(const SpanFacts& span, uint32_t by) {
    auto found = services_.find(span.service);
    if (found == services_.end()) found = services_.emplace(span.service, Counts()).first;
    found->second.spans += by;
    if (span.status_code == kStatusError) found->second.errors += by;
  }

  void OfferRoot(const SpanFacts& span) {
    std::tuple<uint64_t, std::string, std::string> offered(span.start_ns, span.service, span.name);
    if (has_root_ && root_ <= offered) return;
    root_ = std::move(offered);
    has_root_ = true;
  }

  uint32_t CountOrphans() const {
    uint32_t orphans = 0;
    for (const Child& child : children_) {
      const auto parent =
          std::lower_bound(spans_.begin(), spans_.end(), SpanRef{child.parent, 0, 0});
      const bool has_parent = parent != spans_.end() && parent->span_id == child.parent;
      if (has_parent || std::binary_search(removed_.begin(), removed_.end(), child.span)) continue;
      ++orphans;
    }
    return orphans;
  }

  MemoryCharge memory_;
  std::vector<SpanRef> spans_;
  std::vector<SpanRef> removed_;
  std::vector<Child> children_;  // spans with a parent id
  std::map<std::string, Counts, std::less<>> services_;
  uint64_t min_start_ns_ = UINT64_MAX;
  uint64_t max_end_ns_ = 0;
  bool has_root_ = false;
  std::tuple<uint64_t, std::string, std::string> root_;  // start, service, operation
};

}  // namespace

Result<TraceSummary> TraceSummarizer::Summarize(const TraceId& trace_id) {
  std::vector<TracePlace> places;
  LARDER_RETURN_IF_ERROR(locator_.Locate(trace_id, &places));
  Summary summary(context_);
  LARDER_RETURN_IF_ERROR(VisitTraceFacts(
      view_, places, context_,
      [&](uint32_t place, const SpanFacts& span) { return summary.Add(place, span); }));
  std::vector<SpanRef> repeats;
  LARDER_RETURN_IF_ERROR(FindRepeats(view_, places, summary.Sort(), context_, &repeats));
  for (const SpanRef& repeat : repeats) {
    const std::vector<TracePlace> row = {{places[repeat.place].entry, {repeat.row}}};
    LARDER_RETURN_IF_ERROR(
        VisitTraceFacts(view_, row, context_, [&](uint32_t /*place*/, const SpanFacts& span) {
          summary.Remove(repeat, span);
          return Status::Ok();
        }));
  }
  return summary.Finish(trace_id);
}

Status TraceSummarizer::FindExtent(FoundTrace* found) {
  std::vector<TracePlace> places;
  LARDER_RETURN_IF_ERROR(locator_.Locate(found->trace_id, &places));
  found->min_start_ns = found->latest_match_ns;
  found->max_end_ns = 0;
  return VisitTraceFacts(view_, places, context_, [&](uint32_t /*place*/, const SpanFacts& span) {
    found->min_start_ns = std::min(found->min_start_ns, span.start_ns);
    found->max_end_ns = std::max(found->max_end_ns, span.end_ns);
    return Status::Ok();
  });
}

}  // namespace larder
