// Random spans of a small world: few services, names, keys and values, so that filters hit; traces
// that arrive in pieces, children before their parents; times that tie; and whatever OTLP allows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/model/span.h"
#include "tests/support/seed.h"

namespace larder {

struct SpanMakerOptions {
  uint32_t spans_max = 12;    // of one request
  uint32_t open_traces = 20;  // traces that still get spans
  // Whether a span id may come again in its trace, in a span of other content.
  bool reuse_span_ids = false;
  uint64_t base_ns = 1'700'000'000'000'000'000;
  uint64_t step_ns = 250'000'000;  // starts are multiples of it ...
  uint64_t steps = 1200;           // ... within this many of `base_ns`
};

// Not thread-safe. `random` must outlive it.
class SpanMaker {
 public:
  SpanMaker(Random* random, const SpanMakerOptions& options);

  // The spans of one request.
  std::vector<Span> Request();

 private:
  struct OpenTrace {
    TraceId id;
    std::vector<SpanId> used;
    std::vector<SpanId> promised;  // parents that are named but have not come yet
  };

  OpenTrace& PickTrace();
  Span MakeSpan(OpenTrace* trace);
  SpanId TakeSpanId(OpenTrace* trace);
  SpanId PickParent(OpenTrace* trace, const SpanId& own);
  uint64_t PickStart();
  std::vector<Attribute> PickAttributes(uint64_t count_max);
  Attribute PickAttribute();
  SpanId NewSpanId();
  TraceId NewTraceId();

  Random* const random_;
  const SpanMakerOptions options_;
  std::vector<OpenTrace> traces_;
  std::vector<std::shared_ptr<const Resource>> resources_;
  std::vector<std::shared_ptr<const Scope>> scopes_;
};

}  // namespace larder
