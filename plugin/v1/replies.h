// Writes the replies of jaeger.storage.v1; those that are not here have the same fields as in
// jaeger.storage.v2 (plugin/services/replies.h).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/calls/stream_query.h"
#include "plugin/v1/options.h"
#include "storage/model/query.h"
#include "storage/query/answer.h"

namespace larder::v1 {

// GetOperationsResponse. `no_kind` is the word for a kind that has none. Operations that differ
// only in such a kind are answered once. REQUIRES: sorted by name, then kind.
std::string EncodeOperations(const std::vector<Operation>& operations, std::string_view no_kind);

std::string EncodeTraceIds(const std::vector<FoundTrace>& traces);

// CapabilitiesResponse.
std::string EncodeCapabilities(bool has_archive, bool has_streaming);

struct SpanChunkOptions {
  bool must_find = false;  // an answer without a span is an error
  size_t chunk_bytes_max = 3584 << 10;
  size_t span_bytes_max = ServiceOptions{}.span_bytes_max;
};

// Messages of SpansResponseChunk, none with spans of two traces. With `must_find` the error is the
// one that Jaeger knows by its text.
std::unique_ptr<MessageSource> NewSpanChunks(std::unique_ptr<TraceCursor> cursor,
                                             const SpanChunkOptions& options);

}  // namespace larder::v1
