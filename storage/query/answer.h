// How a store answers: whole traces step by step, lists at once, and in both what could not be
// read.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"
#include "storage/model/span_query.h"

namespace larder {

// The bounds of one query. `cancelled` may be set from any thread and must outlive the query.
struct QueryLimits {
  uint64_t deadline_monotonic_ns = UINT64_MAX;  // of StoreOptions::clock
  const std::atomic<bool>* cancelled = nullptr;
};

// What a query could not read: it answered what it could.
struct Gap {
  std::string place;  // "partition 3 segment 17 page fixed/2/5"
  std::string reason;
};

// One step of a walk over whole traces.
struct TraceChunk {
  bool end = false;  // nothing more; the other members are empty
  TraceId trace_id;
  std::string traces_data;  // TracesData message: spans of this one trace, 1-2 MiB at most unless a
                            // single span is larger; never without a span
};

// Pull-based, so that a slow reader holds no thread. Not thread-safe. Must not outlive the store.
class TraceCursor {
 public:
  virtual ~TraceCursor() = default;
  // The chunks of one trace follow each other. Only when nothing could be read is a failed part an
  // error; otherwise it is in gaps().
  virtual Result<TraceChunk> Next() = 0;
  virtual const std::vector<Gap>& gaps() const = 0;
};

// One step of a walk over the spans of a page.
struct SpanChunk {
  bool end = false;         // nothing more; the other members are empty
  std::string traces_data;  // TracesData message: spans in the query's order, sized as
                            // TraceChunk's; empty only when no span of the page could be read
  std::optional<SpanPosition> next;  // on the last chunk of a page, when there are more spans:
                                     // where the next page goes on (SpanQuery::after)
};

// As TraceCursor.
class SpanCursor {
 public:
  virtual ~SpanCursor() = default;
  virtual Result<SpanChunk> Next() = 0;
  virtual const std::vector<Gap>& gaps() const = 0;
};

template <typename T>
struct Answer {
  std::vector<T> values;
  std::vector<Gap> gaps;
  std::optional<TracePosition> next;  // of a TraceQuery that says_next, when there are more traces:
                                      // where the next page goes on (TraceQuery::after)
};

}  // namespace larder
