// Traces to be replayed: recorded or made up, taken apart once, so that a copy with fresh ids and
// times costs a memcpy and a few stores. Ids and times have a fixed width on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace larder::bench {

// One Span message. Offsets are into `bytes`.
struct SpanTemplate {
  // A request id: 36 characters that are fresh in every replay. Equal ones of a trace stay equal.
  struct RequestId {
    uint32_t offset = 0;
    uint32_t number = 0;
  };

  std::string bytes;
  uint32_t resource = 0;
  uint32_t scope = 0;
  uint32_t number = 0;         // span ids of a trace are numbered: its own ...
  uint32_t parent_number = 0;  // ... its parent's, which need not be in the trace
  uint32_t trace_id_offset = 0;
  uint32_t span_id_offset = 0;
  uint32_t parent_offset = 0;  // 0: a root
  uint32_t start_offset = 0;
  uint32_t end_offset = 0;
  uint64_t start_in_trace_ns = 0;
  int64_t duration_ns = 0;
  std::vector<uint32_t> event_time_offsets;
  std::vector<RequestId> request_ids;
};

struct TraceTemplate {
  uint32_t first_span = 0;
  uint32_t span_count = 0;
};

struct TemplateSet {
  std::vector<SpanTemplate> spans;  // those of a trace lie together
  std::vector<TraceTemplate> traces;
  std::vector<std::string> resources;  // ResourceSpans messages without scope_spans
  std::vector<std::string> services;   // of the resources
  std::vector<std::string> scopes;     // ScopeSpans messages without spans
};

// Takes ExportTraceServiceRequest messages apart; spans of one trace may lie in any of them.
// kInvalidArgument: not such messages, or no span with both ids and times.
Result<TemplateSet> TakeApart(const std::vector<std::string>& requests);

// A recording: zstd over messages that are each preceded by their length, 4 bytes big-endian (the
// `proto` format of the OpenTelemetry Collector's file exporter).
Result<std::vector<std::string>> ReadCapture(const std::string& path);

// Made up, for machines without a recording; the same seed gives the same messages. `profile`:
//   otel-demo  17 services, 106 operations, small traces, a tenth of a kind of keys per span
//   grafana    200 services, 2,000 operations, 67 spans per trace with a tail to thousands
//   alibaba    2,000 services, 20,000 operations, tiny traces, a third of the spans cache calls
// kInvalidArgument: no such profile.
Result<std::vector<std::string>> MakeRequests(std::string_view profile, uint64_t seed);

// `profile`, or "capture": the file named by the environment's LARDER_CAPTURE; "" takes that when
// it is set and otel-demo when not.
Result<TemplateSet> LoadTemplates(std::string_view profile, uint64_t seed);

}  // namespace larder::bench
