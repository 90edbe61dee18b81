// ColdTally: whether the tier gave back all spans of the traces that it was asked for. What is
// missing in its answer it has lost: a Logstore's time to live, a file that somebody removed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "storage/model/ids.h"
#include "storage/query/cold/cold_part.h"

namespace larder {

// Of one read of one part. Spans are told apart by their ids, within a trace and a segment, as the
// part's trace index counts them: what comes twice counts once. Not thread-safe.
class ColdTally {
 public:
  struct Count {
    uint64_t found = 0;
    uint64_t expected = 0;
  };

  // What the part's index says of a trace.
  void Expect(const TraceId& trace_id, const std::vector<ColdPlace>& places);
  // A span that came. Those of other traces are passed over.
  void Note(uint64_t segment, const TraceId& trace_id, const SpanId& span_id);
  // Nothing: nobody knows how many spans there are. REQUIRES: it was expected.
  std::optional<Count> CountOf(const TraceId& trace_id);

 private:
  struct Place {
    uint32_t expected = 0;
    std::vector<SpanId> span_ids;
  };
  std::map<TraceId, std::map<uint64_t, Place>> traces_;  // by segment
};

}  // namespace larder
