// What a store must answer, computed naively from decoded spans: the truth of the differential
// tests. Obviously right before fast.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/model/span_query.h"

namespace larder {

SpanKey KeyOf(const Span& span);

// Not thread-safe. Holds one tenant.
class ReferenceStore {
 public:
  // Keeps every span that is not equal in every field to one that is there.
  void Add(const std::vector<Span>& spans);
  // The same for the spans of an ExportTraceServiceRequest that a store accepts (every id well
  // formed); what is malformed is left out. Fails when the message is not protobuf.
  Status AddRequest(std::string_view request);
  // Forgets every trace (retention, purge).
  void Clear() { traces_.clear(); }

  std::vector<FoundTrace> Find(const TraceQuery& query) const;
  // All pages of the query together. Spans of equal keys are in no particular order.
  std::vector<Span> FindSpans(const SpanQuery& query) const;
  // The spans of a trace in the order of their arrival; empty when it is unknown.
  const std::vector<Span>& Trace(const TraceId& trace_id) const;
  std::vector<std::string> Services() const;
  // kind -1: any.
  std::vector<Operation> Operations(std::string_view service, int32_t kind) const;
  std::vector<Dependency> Dependencies(TimeRange child_start) const;

  const std::map<TraceId, std::vector<Span>>& traces() const { return traces_; }
  uint64_t span_count() const;

 private:
  std::map<TraceId, std::vector<Span>> traces_;
};

}  // namespace larder
