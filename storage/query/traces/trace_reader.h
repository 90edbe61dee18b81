// TraceReader: a whole trace, from every source that has spans of it, as TracesData chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/traces_data_writer.h"
#include "storage/query/facts/span_content.h"
#include "storage/query/index/trace_locator.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Memory: one chunk, and 4 bytes a row and about 32 a span for the trace at hand. Spans equal in
// every field are answered once. Parts that cannot be read are gaps; then the trace's last span
// carries a warning. Not thread-safe. Borrows all that it is given.
class TraceReader {
 public:
  static constexpr uint64_t kChunkBytesTarget = 1 << 20;
  static constexpr uint64_t kChunkBytesMax = 2 << 20;

  TraceReader(const View& view, TenantId tenant, QueryContext* context);

  // Turns to a trace and forgets the one before. An unknown trace has no chunk.
  Status Open(const TraceId& trace_id);
  // A TracesData message with one span at least, or an empty one when the trace is at its end.
  Result<std::string> NextChunk();

 private:
  class Visitor;

  // A span that waits for the next one: the last of a trace may have to carry a warning.
  struct HeldSpan {
    bool is_set = false;
    std::string resource;
    std::string scope;
    std::string span;
    uint64_t size_bytes() const { return resource.size() + scope.size() + span.size(); }
  };

  // Reads rows of the place at hand until a chunk is full or the batch ends.
  Status ReadBatch();
  // False when the chunk is full.
  bool Take(std::string_view resource, std::string_view scope, std::string_view span);
  void WriteHeld();
  void WarnHeld();
  bool chunk_full() const { return !chunk_.empty() || writer_.size_bytes() >= kChunkBytesTarget; }
  std::string TakeChunk();

  const View& view_;
  QueryContext* const context_;
  TraceLocator locator_;
  MemoryCharge memory_;
  std::vector<TracePlace> places_;
  size_t place_ = 0;
  size_t next_row_ = 0;  // of places_[place_].rows
  uint64_t rows_bytes_ = 0;
  bool may_repeat_ = false;           // the trace has more than one row
  uint64_t failed_reads_before_ = 0;  // as the context counted them when the trace was opened
  ContentSet seen_;
  HeldSpan held_;
  TracesDataWriter writer_;
  std::string chunk_;  // a full one that was closed before its time
};

}  // namespace larder
