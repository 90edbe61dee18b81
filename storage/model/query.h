// What is asked of a store, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/model/filter.h"
#include "storage/model/ids.h"

namespace larder {

// Span start times, nanoseconds since 1970, both ends inclusive. OTLP times are unsigned: 2262 and
// later are ordinary values.
struct TimeRange {
  uint64_t min_ns = 0;
  uint64_t max_ns = UINT64_MAX;
  bool contains(uint64_t ns) const { return min_ns <= ns && ns <= max_ns; }
};

// A place in the order of a TraceQuery: a trace.
struct TracePosition {
  uint64_t latest_match_ns = 0;
  TraceId trace_id;
  friend bool operator==(const TracePosition&, const TracePosition&) = default;
};

// Find traces with a span that starts in `start` and satisfies `filter`.
// Order: latest matching start first, then trace id ascending; `depth` cuts after the order.
struct TraceQuery {
  TenantId tenant = 0;
  TimeRange start;
  FilterNode filter;
  uint32_t depth = 100;                // of a page, the number of its traces
  std::optional<TracePosition> after;  // only what comes behind it: where the page before ended
  bool says_next = false;              // look for one trace more, to say whether there is any
};

// Jaeger's search fields before RFC 0005. Empty strings and zero durations mean "any".
struct LegacySearch {
  std::string service;
  std::string operation;
  TimeRange start;
  int64_t duration_min_ns = 0;
  int64_t duration_max_ns = 0;
  // A value is a typed constant or text; a string from Jaeger's UI is text.
  std::vector<std::pair<std::string, Constant>> attributes;
  int32_t depth = 0;
};

// The filter tree of a legacy search: one span must satisfy all of it. Attributes look at all five
// levels; the keys error, span.status, span.kind, scope.name, scope.version and resource.<key> are
// fields (error also matches a stored attribute of that name).
FilterNode LowerLegacySearch(const LegacySearch& search);

struct FoundTrace {
  TraceId trace_id;
  uint64_t latest_match_ns = 0;  // start of the latest matching span: the sort key
  uint64_t min_start_ns = 0;     // of the whole trace
  uint64_t max_end_ns = 0;
};

struct Operation {
  std::string name;
  int32_t kind = 0;  // OTLP SpanKind as stored; unknown numbers are kept
  friend bool operator==(const Operation&, const Operation&) = default;
  friend auto operator<=>(const Operation&, const Operation&) = default;
};

struct ServiceSummary {
  std::string service;
  uint32_t span_count = 0;
  uint32_t error_span_count = 0;
  friend bool operator==(const ServiceSummary&, const ServiceSummary&) = default;
};

// As jaeger-query's own fallback computes it (jaeger.storage.v2 TraceSummary). Spans equal in every
// field count once. The root is the span without a parent id that starts first; of several that
// start together, the one with the smallest service name, then operation name.
struct TraceSummary {
  TraceId trace_id;
  std::string root_service;
  std::string root_operation;
  uint64_t min_start_ns = 0;
  uint64_t max_end_ns = 0;
  uint32_t span_count = 0;
  uint32_t error_span_count = 0;
  uint32_t orphan_span_count = 0;
  std::vector<ServiceSummary> services;  // sorted by name bytewise
};

// Calls from one service to another: child spans whose parent id a span of the trace has. Of
// several spans with that id the parent is the one that starts first, then has the smallest service
// name. Child spans equal in every field count once. Self edges and spans without a service are
// left out.
struct Dependency {
  std::string parent;
  std::string child;
  uint64_t call_count = 0;
  friend bool operator==(const Dependency&, const Dependency&) = default;
  friend auto operator<=>(const Dependency&, const Dependency&) = default;
};

}  // namespace larder
