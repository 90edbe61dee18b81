// QueryEngine: the questions of Store (store.h) asked of a View.
//
//   QueryEngine queries({.clock = clock, .query_memory_bytes_max = 64 << 20});
//   auto found = queries.FindTraceIds(store_view, query, limits);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/query/answer.h"
#include "storage/query/cold/cold_fetch.h"
#include "storage/query/cold/cold_part_format.h"
#include "storage/query/spans/known_spans.h"
#include "storage/query/view.h"

namespace larder {

struct QueryEngineOptions {
  Clock* clock = &Clock::System();                // must outlive the engine
  uint64_t query_memory_bytes_max = 64ull << 20;  // of one query
  uint64_t memory_bytes_max = 128ull << 20;       // of all queries together
  uint64_t query_time_ms_max = 30'000;
  uint32_t search_depth_max = 10'000;  // traces of one answer
  uint32_t page_size_max = 10'000;     // spans of one answer
  ColdOptions cold = {};
};

// Thread-safe. A question that needs spans of cold parts waits for the tier, on the thread that
// asks. Answers as Store says; each question holds its View until it (or its cursor) ends.
// Must outlive its cursors.
class QueryEngine {
 public:
  using ViewPtr = std::shared_ptr<const View>;

  explicit QueryEngine(const QueryEngineOptions& options);
  ~QueryEngine();
  QueryEngine(const QueryEngine&) = delete;
  QueryEngine& operator=(const QueryEngine&) = delete;

  std::unique_ptr<TraceCursor> GetTraces(ViewPtr view, TenantId tenant, std::vector<TraceId> ids,
                                         const QueryLimits& limits);
  std::unique_ptr<TraceCursor> FindTraces(ViewPtr view, TraceQuery query,
                                          const QueryLimits& limits);
  Result<Answer<FoundTrace>> FindTraceIds(const ViewPtr& view, const TraceQuery& query,
                                          const QueryLimits& limits);
  Result<Answer<TraceSummary>> FindSummaries(const ViewPtr& view, const TraceQuery& query,
                                             const QueryLimits& limits);
  std::unique_ptr<SpanCursor> FindSpans(ViewPtr view, SpanQuery query, const QueryLimits& limits);
  Result<Answer<std::string>> Services(const ViewPtr& view, TenantId tenant,
                                       const QueryLimits& limits);
  Result<Answer<Operation>> Operations(const ViewPtr& view, TenantId tenant,
                                       std::string_view service, int32_t kind,
                                       const QueryLimits& limits);
  // This and the two below take their View when it is their turn (dependency_table.h).
  Result<Answer<Dependency>> Dependencies(const ViewSource& views, TenantId tenant,
                                          TimeRange child_start, const QueryLimits& limits);

  // Does ahead, for tenants of `everything` with `segments_min` new segments, what the next
  // question would have to do: to be called now and then, by a thread that may work for a second.
  Status Prepare(const View& everything, const ViewSource& views, size_t segments_min,
                 const QueryLimits& limits);

  // The calls that a partition takes with it when it leaves the View: to be kept, by whom the View
  // then has a cold part.
  Result<std::vector<ColdCall>> CallsOfPartition(const ViewSource& views, TenantId tenant,
                                                 uint64_t partition, const QueryLimits& limits);

  // The spans of an OTLP request without those that the View has: known_spans.h says how. Under the
  // bounds of a query.
  Result<std::optional<NewSpans>> LeaveKnownOut(const ViewPtr& view, TenantId tenant,
                                                std::string_view otlp, const AppendLimits& limits);

  uint64_t memory_bytes() const;  // held by running queries and by what they remember
  uint64_t gaps() const;          // parts that could not be read, since the start

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace larder
