#include "storage/query/query_engine.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "storage/query/calls/dependency_table.h"
#include "storage/query/cold/cold_part.h"
#include "storage/query/cold/cold_queries.h"
#include "storage/query/query_context.h"
#include "storage/query/spans/span_cursor.h"
#include "storage/query/traces/operations.h"
#include "storage/query/traces/summaries.h"
#include "storage/query/traces/trace_cursor.h"
#include "storage/query/traces/trace_walk.h"

namespace larder {

namespace {

// Sorts what was found, each once.
template <typename T>
void SortOnce(std::vector<T>* found) {
  std::sort(found->begin(), found->end());
  found->erase(std::unique(found->begin(), found->end()), found->end());
}

void AddColdServices(const View& view, TenantId tenant, std::vector<std::string>* found) {
  for (const ColdEntry& entry : view.cold) {
    if (entry.scope.tenant != tenant) continue;
    for (const ColdOperation& it : entry.part->facts().operations) {
      if (it.service.empty()) continue;
      if (found->empty() || found->back() != it.service) found->push_back(it.service);
    }
  }
  SortOnce(found);
}

void AddColdOperations(const View& view, TenantId tenant, std::string_view service, int32_t kind,
                       std::vector<Operation>* found) {
  if (service.empty()) return;
  for (const ColdEntry& entry : view.cold) {
    if (entry.scope.tenant != tenant) continue;
    for (const ColdOperation& it : entry.part->facts().operations) {
      const bool is_asked = it.service == service && (kind == -1 || it.operation.kind == kind);
      if (is_asked) found->push_back(it.operation);
    }
  }
  SortOnce(found);
}

}  // namespace

class QueryEngine::Impl {
 public:
  explicit Impl(const QueryEngineOptions& options)
      : options_(WithCounter(options, &waiting_)), memory_(options.memory_bytes_max) {}

  TraceQuery Clamped(TraceQuery query) const {
    query.depth = std::min(query.depth, options_.search_depth_max);
    return query;
  }
  SpanQuery Clamped(SpanQuery query) const {
    query.page_size = std::min(query.page_size, options_.page_size_max);
    return query;
  }

  QueryBounds Bounds() {
    QueryBounds bounds;
    bounds.clock = options_.clock;
    bounds.memory_bytes_max = options_.query_memory_bytes_max;
    bounds.time_ns_max = options_.query_time_ms_max * 1'000'000;
    bounds.shared_memory = &memory_;
    bounds.gap_count = &gaps_;
    return bounds;
  }

  // Runs `ask`, which appends to the values it is given, under the bounds of a query.
  template <typename T>
  Result<Answer<T>> Ask(const QueryLimits& limits,
                        const std::function<Status(QueryContext*, std::vector<T>*)>& ask) {
    QueryContext context(Bounds(), limits);
    const QueryContext::Work work(&context);
    Answer<T> answer;
    const Status asked = ask(&context, &answer.values);
    LARDER_RETURN_IF_ERROR(context.Finish(asked, !answer.values.empty()));
    answer.gaps = context.gaps();
    return answer;
  }

  // A page of a search for traces: `fill` makes a value of each trace that is found.
  template <typename T>
  Result<Answer<T>> AskTraces(
      const ViewPtr& view, const TraceQuery& asked, const QueryLimits& limits,
      const std::function<Result<T>(TraceSummarizer*, const TracePosition&)>& fill) {
    ColdTraceQuery whole{view, Clamped(asked)};
    if (HasColdParts(*view, asked.tenant)) {
      LARDER_ASSIGN_OR_RETURN(whole,
                              FetchForSearch(view, whole.query, options_.cold, Bounds(), limits));
    }
    return AskTracesOf<T>(*whole.view, whole.query, limits, fill);
  }

  template <typename T>
  Result<Answer<T>> AskTracesOf(
      const View& view, const TraceQuery& query, const QueryLimits& limits,
      const std::function<Result<T>(TraceSummarizer*, const TracePosition&)>& fill) {
    QueryContext context(Bounds(), limits);
    const QueryContext::Work work(&context);
    Answer<T> answer;
    std::optional<TracePosition> last;
    const auto ask = [&]() -> Status {
      TraceWalk walk(view, query, &context);
      TraceSummarizer summarizer(view, query.tenant, &context);
      for (;;) {
        LARDER_ASSIGN_OR_RETURN(const std::optional<TracePosition> found, walk.Next());
        if (!found) return Status::Ok();
        if (answer.values.size() == query.depth) {  // the one more that was asked for
          answer.next = last;
          return Status::Ok();
        }
        LARDER_ASSIGN_OR_RETURN(T value, fill(&summarizer, *found));
        answer.values.push_back(std::move(value));
        last = found;
      }
    };
    const Status asked_status = ask();
    LARDER_RETURN_IF_ERROR(context.Finish(asked_status, last.has_value()));
    // A page whose budget is spent ends early; the next one goes on from there.
    if (!asked_status.ok() && query.says_next) answer.next = last;
    answer.gaps = context.gaps();
    return answer;
  }

  static QueryEngineOptions WithCounter(QueryEngineOptions options,
                                        std::atomic<uint32_t>* waiting) {
    options.cold.waiting = waiting;
    return options;
  }

  std::atomic<uint32_t> waiting_{0};  // queries that wait for the tier
  OperationsTable operations_;
  DependencyTable dependencies_;
  const QueryEngineOptions options_;
  MemoryBudget memory_;
  std::atomic<uint64_t> gaps_{0};
};

QueryEngine::QueryEngine(const QueryEngineOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
QueryEngine::~QueryEngine() = default;

std::unique_ptr<TraceCursor> QueryEngine::GetTraces(ViewPtr view, TenantId tenant,
                                                    std::vector<TraceId> ids,
                                                    const QueryLimits& limits) {
  if (HasColdParts(*view, tenant)) {
    return NewColdGetCursor(std::move(view), tenant, std::move(ids), impl_->options_.cold,
                            impl_->Bounds(), limits);
  }
  return NewGetTracesCursor(std::move(view), tenant, std::move(ids), impl_->Bounds(), limits);
}

std::unique_ptr<TraceCursor> QueryEngine::FindTraces(ViewPtr view, TraceQuery query,
                                                     const QueryLimits& limits) {
  if (HasColdParts(*view, query.tenant)) {
    return NewColdFindCursor(view, impl_->Clamped(std::move(query)), impl_->options_.cold,
                             impl_->Bounds(), limits);
  }
  return NewFindTracesCursor(std::move(view), impl_->Clamped(std::move(query)), impl_->Bounds(),
                             limits);
}

Result<Answer<FoundTrace>> QueryEngine::FindTraceIds(const ViewPtr& view, const TraceQuery& query,
                                                     const QueryLimits& limits) {
  return impl_->AskTraces<FoundTrace>(
      view, query, limits,
      [](TraceSummarizer* summarizer, const TracePosition& position) -> Result<FoundTrace> {
        FoundTrace trace;
        trace.trace_id = position.trace_id;
        trace.latest_match_ns = position.latest_match_ns;
        LARDER_RETURN_IF_ERROR(summarizer->FindExtent(&trace));
        return trace;
      });
}

Result<Answer<TraceSummary>> QueryEngine::FindSummaries(const ViewPtr& view,
                                                        const TraceQuery& query,
                                                        const QueryLimits& limits) {
  return impl_->AskTraces<TraceSummary>(
      view, query, limits, [](TraceSummarizer* summarizer, const TracePosition& position) {
        return summarizer->Summarize(position.trace_id);
      });
}

std::unique_ptr<SpanCursor> QueryEngine::FindSpans(ViewPtr view, SpanQuery query,
                                                   const QueryLimits& limits) {
  if (HasColdParts(*view, query.tenant)) {
    return NewColdSpansCursor(view, impl_->Clamped(std::move(query)), impl_->options_.cold,
                              impl_->Bounds(), limits);
  }
  return NewFindSpansCursor(std::move(view), impl_->Clamped(std::move(query)), impl_->Bounds(),
                            limits);
}

Result<Answer<std::string>> QueryEngine::Services(const ViewPtr& view, TenantId tenant,
                                                  const QueryLimits& limits) {
  return impl_->Ask<std::string>(
      limits, [&](QueryContext* context, std::vector<std::string>* found) -> Status {
        LARDER_ASSIGN_OR_RETURN(*found, impl_->operations_.Services(*view, tenant, context));
        AddColdServices(*view, tenant, found);
        return Status::Ok();
      });
}

Result<Answer<Operation>> QueryEngine::Operations(const ViewPtr& view, TenantId tenant,
                                                  std::string_view service, int32_t kind,
                                                  const QueryLimits& limits) {
  return impl_->Ask<Operation>(
      limits, [&](QueryContext* context, std::vector<Operation>* found) -> Status {
        LARDER_ASSIGN_OR_RETURN(
            *found, impl_->operations_.Operations(*view, tenant, service, kind, context));
        AddColdOperations(*view, tenant, service, kind, found);
        return Status::Ok();
      });
}

Result<Answer<Dependency>> QueryEngine::Dependencies(const ViewSource& views, TenantId tenant,
                                                     TimeRange child_start,
                                                     const QueryLimits& limits) {
  return impl_->Ask<Dependency>(
      limits, [&](QueryContext* context, std::vector<Dependency>* found) -> Status {
        return impl_->dependencies_.Count(views, tenant, child_start, context, found);
      });
}

Status QueryEngine::Prepare(const View& everything, const ViewSource& views, size_t segments_min,
                            const QueryLimits& limits) {
  std::set<TenantId> tenants;
  for (const SourceEntry& entry : everything.entries) {
    if (entry.segment != nullptr) tenants.insert(entry.tenant);
  }
  QueryBounds bounds = impl_->Bounds();
  bounds.time_ns_max = UINT64_MAX;
  for (const TenantId tenant : tenants) {
    QueryContext context(bounds, limits);
    const QueryContext::Work work(&context);
    LARDER_RETURN_IF_ERROR(impl_->dependencies_.Prepare(views, tenant, segments_min, &context));
  }
  return Status::Ok();
}

Result<std::vector<ColdCall>> QueryEngine::CallsOfPartition(const ViewSource& views,
                                                            TenantId tenant, uint64_t partition,
                                                            const QueryLimits& limits) {
  // An eviction is not to fail for what queries hold meanwhile.
  QueryBounds bounds = impl_->Bounds();
  bounds.time_ns_max = UINT64_MAX;
  bounds.shared_memory = nullptr;
  QueryContext context(bounds, limits);
  const QueryContext::Work work(&context);
  return impl_->dependencies_.CallsOfPartition(views, tenant, partition, &context);
}

Result<std::optional<NewSpans>> QueryEngine::LeaveKnownOut(const ViewPtr& view, TenantId tenant,
                                                           std::string_view otlp,
                                                           const AppendLimits& limits) {
  QueryContext context(impl_->Bounds(), {});
  const QueryContext::Work work(&context);
  return larder::LeaveKnownOut(*view, tenant, otlp, limits, &context);
}

uint64_t QueryEngine::memory_bytes() const {
  return impl_->memory_.bytes() + impl_->operations_.memory_bytes() +
         impl_->dependencies_.memory_bytes();
}

uint64_t QueryEngine::gaps() const { return impl_->gaps_.load(std::memory_order_relaxed); }

}  // namespace larder
