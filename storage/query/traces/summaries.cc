#include "storage/query/traces/summaries.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/query/facts/trace_facts.h"

namespace larder {
namespace {

constexpr int32_t kStatusError = 2;  // opentelemetry Status.StatusCode
constexpr int32_t kServer = 2;       // opentelemetry Span.SpanKind
constexpr int32_t kClient = 3;

// Adds up one trace, as Jaeger does with the spans that it is answered, in their order. Spans that
// turn out to be repeats are taken out again; of those another copy stays, so that only the counts
// change. A server's span with the id of a client's span (Zipkin's way) is that one's child,
// whatever its own parent is.
class Summary {
 public:
  explicit Summary(QueryContext* context) : memory_(context) {}

  Status Add(uint32_t place, const SpanFacts& span) {
    const SpanRef ref{span.span_id, place, span.row};
    spans_.push_back(ref);
    if (span.kind == kClient) client_ids_.push_back(span.span_id);
    const bool is_server = span.kind == kServer;
    if (span.parent_span_id.is_zero()) {
      OfferRoot({span.start_ns, spans_.size(), is_server, span.span_id, span.service, span.name});
    } else {
      children_.push_back({ref, span.parent_span_id, is_server});
    }
    Count(span, 1);
    min_start_ns_ = std::min(min_start_ns_, span.start_ns);
    max_end_ns_ = std::max(max_end_ns_, span.end_ns);
    return memory_.Resize(
        spans_.capacity() * sizeof(SpanRef) + client_ids_.capacity() * sizeof(SpanId) +
        children_.capacity() * sizeof(Child) + server_roots_.capacity() * sizeof(Root));
  }

  // The spans added, sorted.
  const std::vector<SpanRef>& Sort() {
    std::sort(spans_.begin(), spans_.end());
    std::sort(client_ids_.begin(), client_ids_.end());
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
    if (const Root* const root = FindRoot()) {
      summary.root_service = root->service;
      summary.root_operation = root->name;
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
    bool is_server = false;
  };
  // A span without a parent. The views live as long as the View.
  struct Root {
    uint64_t start_ns = 0;
    size_t number = 0;  // of the span, as they were added
    bool is_server = false;
    SpanId span_id;
    std::string_view service;
    std::string_view name;
    bool operator<(const Root& other) const {
      return std::tie(start_ns, number) < std::tie(other.start_ns, other.number);
    }
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

  void OfferRoot(const Root& offered) {
    if (offered.is_server) {
      server_roots_.push_back(offered);
    } else if (!root_ || offered < *root_) {
      root_ = offered;
    }
  }

  // Null when there is none.
  const Root* FindRoot() const {
    const Root* first = root_ ? &*root_ : nullptr;
    for (const Root& root : server_roots_) {
      if (first != nullptr && !(root < *first)) continue;
      if (!IsOfClient(root.is_server, root.span_id)) first = &root;
    }
    return first;
  }

  bool IsOfClient(bool is_server, const SpanId& span_id) const {
    return is_server && std::binary_search(client_ids_.begin(), client_ids_.end(), span_id);
  }

  uint32_t CountOrphans() const {
    uint32_t orphans = 0;
    for (const Child& child : children_) {
      const auto parent =
          std::lower_bound(spans_.begin(), spans_.end(), SpanRef{child.parent, 0, 0});
      const bool has_parent = parent != spans_.end() && parent->span_id == child.parent;
      if (has_parent || IsOfClient(child.is_server, child.span.span_id)) continue;
      if (std::binary_search(removed_.begin(), removed_.end(), child.span)) continue;
      ++orphans;
    }
    return orphans;
  }

  MemoryCharge memory_;
  std::vector<SpanRef> spans_;
  std::vector<SpanRef> removed_;
  std::vector<SpanId> client_ids_;
  std::vector<Child> children_;  // spans with a parent id
  std::optional<Root> root_;     // the first that is no server's span
  std::vector<Root> server_roots_;
  std::map<std::string, Counts, std::less<>> services_;
  uint64_t min_start_ns_ = UINT64_MAX;
  uint64_t max_end_ns_ = 0;
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
