// What searches fetch.
#include <algorithm>
#include <optional>
#include <utility>

#include "storage/query/cold/cold_queries.h"
#include "storage/query/index/named_traces.h"
#include "storage/query/spans/span_walk.h"
#include "storage/query/traces/trace_walk.h"

namespace larder {
namespace {

constexpr uint32_t kStepRowsMin = 500;
constexpr uint32_t kStepRowsMax = 20'000;
constexpr uint32_t kStepRowsPerTrace = 8;

uint32_t StepRows(uint64_t wanted) {
  return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, kStepRowsMin, kStepRowsMax));
}

TimeRange RangeAfter(TimeRange range, const std::optional<TracePosition>& after) {
  if (after) range.max_ns = std::min(range.max_ns, after->latest_match_ns);
  return range;
}

std::vector<TraceId> IdsOf(const std::vector<TracePosition>& found) {
  std::vector<TraceId> ids;
  for (const TracePosition& position : found) ids.push_back(position.trace_id);
  return ids;
}

// One search for traces.
class TraceFetcher {
 public:
  TraceFetcher(std::shared_ptr<const View> view, const TraceQuery& query,
               const ColdOptions& options, const QueryBounds& bounds, const QueryLimits& limits)
      : query_(query),
        bounds_(Quiet(bounds)),
        limits_(limits),
        time_(bounds.clock, options.time_ns_max, limits),
        fetch_(std::move(view), query.tenant, options, bounds_, limits, &time_),
        wanted_(uint64_t{query.depth} + (query.says_next ? 1 : 0)) {}

  Result<ColdTraceQuery> Run() {
    if (const auto named = NamedTraces(query_.filter)) {
      LARDER_RETURN_IF_ERROR(fetch_.FetchTraces({named->begin(), named->end()}).status());
      return ColdTraceQuery{fetch_.view(), query_};
    }
    ColdWalk walk(&fetch_, query_.filter, RangeAfter(query_.start, query_.after));
    LARDER_RETURN_IF_ERROR(walk.Begin());
    // What is local alone says how far down the page can reach.
    LARDER_RETURN_IF_ERROR(Find(query_.start.min_ns));
    uint64_t floor_ns = is_full() ? found_.back().latest_match_ns : query_.start.min_ns;
    for (;;) {
      const uint64_t complete_ns = std::max(walk.complete_from_ns(), query_.start.min_ns);
      LARDER_RETURN_IF_ERROR(FindWhole(complete_ns));
      const bool is_done = is_full() || complete_ns <= query_.start.min_ns || is_spent_;
      if (is_done) return Answer(complete_ns);
      // The page was not as full as it seemed: some of its traces had come up before.
      if (complete_ns <= floor_ns) floor_ns = query_.start.min_ns;
      LARDER_RETURN_IF_ERROR(walk.Step(floor_ns, StepRows(wanted_ * kStepRowsPerTrace)));
    }
  }

 private:
  // Counted and logged when the answer is made, not each time that we look.
  static QueryBounds Quiet(QueryBounds bounds) {
    bounds.gap_count = nullptr;
    return bounds;
  }

  bool is_full() const { return found_.size() >= wanted_; }

  ColdTraceQuery Answer(uint64_t complete_ns) {
    ColdTraceQuery answer{fetch_.view(), query_};
    answer.query.start.min_ns = complete_ns;
    return answer;
  }

  // The traces of the page with all spans of theirs, as far as `from_ns`.
  Status FindWhole(uint64_t from_ns) {
    for (;;) {
      LARDER_RETURN_IF_ERROR(Find(from_ns));
      LARDER_ASSIGN_OR_RETURN(const bool any, fetch_.FetchTraces(IdsOf(found_)));
      if (!any) return Status::Ok();
    }
  }

  // Replaces found_ by the page as the View has it now.
  Status Find(uint64_t from_ns) {
    const auto view = fetch_.view();
    TraceQuery query = query_;
    query.start.min_ns = from_ns;
    QueryContext context(bounds_, limits_);
    const QueryContext::Work work(&context);
    found_.clear();
    TraceWalk walk(*view, query, &context);
    for (;;) {
      auto next = walk.Next();
      // The answer itself says that it is cut short.
      is_spent_ = next.status().code() == StatusCode::kResourceExhausted;
      if (is_spent_) return Status::Ok();
      if (!next.ok()) return next.status();
      if (!next->has_value()) return Status::Ok();
      found_.push_back(**next);
    }
  }

  const TraceQuery& query_;
  const QueryBounds bounds_;
  const QueryLimits limits_;
  ColdTime time_;
  ColdFetch fetch_;
  const uint64_t wanted_;
  std::vector<TracePosition> found_;
  bool is_spent_ = false;
};

// One page of spans.
class SpanFetcher {
 public:
  SpanFetcher(std::shared_ptr<const View> view, const SpanQuery& query, const ColdOptions& options,
              const QueryBounds& bounds, const QueryLimits& limits)
      : query_(query),
        order_(query.order),
        bounds_(bounds),
        limits_(limits),
        time_(bounds.clock, options.time_ns_max, limits),
        fetch_(std::move(view), query.tenant, options, bounds, limits, &time_) {
    bounds_.gap_count = nullptr;
  }

  Result<std::shared_ptr<const View>> Run() {
    if (const auto named = NamedTraces(query_.filter)) {
      LARDER_RETURN_IF_ERROR(fetch_.FetchTraces({named->begin(), named->end()}).status());
      return fetch_.view();
    }
    const bool by_start = order_.lead().field == SpanSortField::kStartTime;
    const bool latest_first = by_start && order_.lead().descending;
    TimeRange range = query_.start;
    if (by_start) LARDER_RETURN_IF_ERROR(Narrow(&range));
    if (range.min_ns > range.max_ns) return fetch_.view();
    ColdWalk walk(&fetch_, query_.filter, range);
    LARDER_RETURN_IF_ERROR(walk.Begin());
    while (walk.complete_from_ns() > range.min_ns) {
      LARDER_RETURN_IF_ERROR(walk.Step(range.min_ns, StepRows(query_.page_size)));
      if (!latest_first) continue;
      LARDER_ASSIGN_OR_RETURN(const std::optional<uint64_t> last_ns, LastStart());
      if (last_ns.has_value() && *last_ns >= walk.complete_from_ns()) break;
    }
    return fetch_.view();
  }

 private:
  // To what a page led by the start can hold: between the page before and the last span that local
  // data alone would answer.
  Status Narrow(TimeRange* range) {
    const bool latest_first = order_.lead().descending;
    if (query_.after) {
      const uint64_t after_ns = query_.after->key.start_ns;
      latest_first ? range->max_ns = std::min(range->max_ns, after_ns)
                   : range->min_ns = std::max(range->min_ns, after_ns);
    }
    LARDER_ASSIGN_OR_RETURN(const std::optional<uint64_t> last_ns, LastStart());
    if (!last_ns.has_value()) return Status::Ok();
    latest_first ? range->min_ns = std::max(range->min_ns, *last_ns)
                 : range->max_ns = std::min(range->max_ns, *last_ns);
    return Status::Ok();
  }

  // Where the page ends when it is full, and one span more is there.
  Result<std::optional<uint64_t>> LastStart() {
    const auto view = fetch_.view();
    QueryContext context(bounds_, limits_);
    const QueryContext::Work work(&context);
    const size_t wanted = size_t{query_.page_size} + 1;
    SpanWalk walk(*view, query_, wanted, &context);
    auto found = walk.Run();
    if (!found.ok()) return found.status();
    if (found->size() < wanted) return std::optional<uint64_t>();
    return std::optional<uint64_t>(found->back().key.start_ns);
  }

  const SpanQuery& query_;
  const SpanOrder order_;
  QueryBounds bounds_;
  const QueryLimits limits_;
  ColdTime time_;
  ColdFetch fetch_;
};

}  // namespace

bool HasColdParts(const View& view, TenantId tenant) {
  return std::any_of(view.cold.begin(), view.cold.end(), [tenant](const ColdEntry& entry) {
    return entry.scope.tenant == tenant && !entry.is_fetched;
  });
}

Result<ColdTraceQuery> FetchForSearch(std::shared_ptr<const View> view, const TraceQuery& query,
                                      const ColdOptions& options, const QueryBounds& bounds,
                                      const QueryLimits& limits) {
  return TraceFetcher(std::move(view), query, options, bounds, limits).Run();
}

Result<std::shared_ptr<const View>> FetchForSpans(std::shared_ptr<const View> view,
                                                  const SpanQuery& query,
                                                  const ColdOptions& options,
                                                  const QueryBounds& bounds,
                                                  const QueryLimits& limits) {
  return SpanFetcher(std::move(view), query, options, bounds, limits).Run();
}

}  // namespace larder
