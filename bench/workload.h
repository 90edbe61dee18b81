// The load that every bench shares: replays of template traces, arriving as in life.
//
// Each process of a service is an exporter with its own timer of 1 to 5 s that sends what has
// finished since, at most 512 spans a request; so the spans of one trace arrive seconds apart in
// different requests. Ids are fresh, parent links kept, every start and duration perturbed. What a
// replay is like follows from the seed and its number alone, so a check can compute what was sent.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "bench/template_set.h"
#include "storage/model/ids.h"

namespace larder::bench {

struct WorkloadOptions {
  uint64_t seed = 1;
  uint64_t spans = 1'000'000;     // the load ends with the trace that reaches this
  uint64_t epoch_ns = 0;          // wall clock at which the load begins
  double spans_per_s = 0;         // of the load's own time; 0: 300,000, or fewer, so that the load
                                  // lasts 30 s and exporters' first, short batches do not count
  double spans_per_request = 47;  // on average, decides how many exporters there are
  bool skewed_clocks = false;     // 5% of the exporters up to 2 s off, 1% up to 3 h
};

struct Request {
  std::string otlp;
  uint32_t span_count = 0;
  uint64_t arrival_ns = 0;  // by the load's own time
};

// How much of what belongs together came apart, from a sample of traces.
struct SplitShares {
  uint64_t sampled_traces = 0;
  uint64_t sampled_edges = 0;       // parent and child of different services
  double traces_over_requests = 0;  // shares, 0 to 1
  double edges_over_requests = 0;
  double traces_over_segments = 0;  // supposing a segment every `segment_rows` spans
  double edges_over_segments = 0;
  double edge_gap_median_s = 0;  // between the arrivals of parent and child
};

// Not thread-safe. About 0.3 us/span.
class Workload {
 public:
  // `templates` must outlive it.
  Workload(const TemplateSet* templates, const WorkloadOptions& options);

  // The next request in order of arrival; false when all are out.
  bool Next(Request* request);

  // Traces begun so far are numbers [0, trace_count()).
  uint64_t trace_count() const { return next_trace_; }
  uint64_t spans_begun() const { return spans_begun_; }
  TraceId trace_id(uint64_t trace) const;
  const TraceTemplate& trace_template(uint64_t trace) const;
  // Start of the trace's first span, but for its exporter's clock.
  uint64_t trace_start_ns(uint64_t trace) const;

  SplitShares Splits(uint64_t segment_rows) const;
  // What the load itself takes now, to be left out of a store's memory; templates not included.
  uint64_t memory_bytes() const;

 private:
  struct Pending {
    uint64_t trace = 0;
    uint32_t span = 0;      // of the template set
    uint32_t ready_ms = 0;  // since the epoch
  };
  struct Exporter {
    uint32_t resource = 0;
    uint64_t period_ns = 0;
    int64_t clock_offset_ns = 0;
    std::vector<Pending> pending;
  };
  struct Tick {
    uint64_t at_ns = 0;  // since the epoch
    uint32_t exporter = 0;
    bool operator>(const Tick& other) const { return at_ns > other.at_ns; }
  };
  // Where the spans of a sampled trace arrived, by index in the template.
  struct Sample {
    uint64_t trace = 0;
    std::vector<uint64_t> request;
    std::vector<uint64_t> row;
    std::vector<uint64_t> arrival_ns;
  };
  struct Times {
    uint64_t start_ns = 0;
    uint64_t end_ns = 0;
  };

  void MakeExporters();
  void BeginTrace();
  // Moves up to 512 of the spans that are ready into batch_; false when there is none.
  bool TakeBatch(Exporter* exporter, uint64_t now_ns);
  void EncodeBatch(const Exporter& exporter, std::string* otlp);
  void AppendSpan(const Pending& pending, int64_t clock_offset_ns, std::string* otlp) const;
  Times TimesOf(uint64_t trace, const SpanTemplate& span) const;
  void NoteArrival(uint64_t arrival_ns);
  uint64_t Draw(uint64_t trace, uint64_t what) const;

  const TemplateSet& templates_;
  WorkloadOptions options_;
  uint64_t trace_gap_ns_ = 1;
  std::vector<Exporter> exporters_;
  std::vector<uint32_t> first_exporter_;  // by resource; one more at the end
  std::priority_queue<Tick, std::vector<Tick>, std::greater<>> ticks_;
  std::vector<Pending> batch_;
  uint64_t next_trace_ = 0;
  uint64_t spans_begun_ = 0;
  uint64_t spans_sent_ = 0;
  uint64_t requests_ = 0;
  std::vector<Sample> samples_;
};

}  // namespace larder::bench
