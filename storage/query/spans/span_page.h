// SpanPage: the spans of a page as TracesData chunks, in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/model/traces_data_writer.h"
#include "storage/query/query_context.h"
#include "storage/query/spans/span_top.h"
#include "storage/query/view.h"

namespace larder {

// Spans are read in batches, each in the order of their pages. Memory: one chunk and a batch of
// about kBatchBytesMax, or of one span that is larger. What cannot be read is a gap. Not
// thread-safe. Borrows all that it is given.
class SpanPage {
 public:
  static constexpr uint64_t kChunkBytesTarget = 1 << 20;
  static constexpr uint64_t kChunkBytesMax = 2 << 20;
  static constexpr uint64_t kBatchBytesMax = 2 << 20;
  static constexpr size_t kBatchSpansMax = 1024;

  SpanPage(const View& view, std::vector<FoundSpan> spans, QueryContext* context)
      : view_(view), context_(context), memory_(context), spans_(std::move(spans)) {}

  // The next chunk, empty when no span is left that can be read. `is_last` when none comes after.
  Result<std::string> NextChunk(bool* is_last);
  // What was written since the last chunk, for a page that ends early.
  std::string TakeWritten() { return writer_.empty() ? std::string() : writer_.Finish(); }
  // The last span that was written, or that could not be read.
  const std::optional<SpanPosition>& position() const { return position_; }

 private:
  struct Held {
    bool is_read = false;
    Hash128 content;
    std::string resource;
    std::string scope;
    std::string span;
    uint64_t size_bytes() const { return resource.size() + scope.size() + span.size(); }
  };

  // Moves on to the next span that can be read, over as many batches as it takes. False at the end.
  Result<bool> Hold();
  // Reads the spans from next_ on.
  Status ReadBatch();
  // Whether the batch was small enough to be read whole.
  Result<bool> TryReadBatch(size_t count);
  void Pass(const FoundSpan& span, const Held& held);

  const View& view_;
  QueryContext* const context_;
  MemoryCharge memory_;
  const std::vector<FoundSpan> spans_;
  size_t next_ = 0;          // the first span that no batch had
  size_t batch_count_ = 64;  // how many the next batch tries
  std::vector<Held> batch_;
  size_t held_ = 0;  // of batch_, the span at hand
  TracesDataWriter writer_;
  std::optional<SpanPosition> position_;
};

}  // namespace larder
