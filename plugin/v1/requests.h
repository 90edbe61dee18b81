// Reads the requests of jaeger.storage.v1 from their wire bytes; those that are not here have the
// same fields as in jaeger.storage.v2 (plugin/services/requests.h). Every failure is
// kInvalidArgument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"

namespace larder::v1 {

// WriteSpanRequest: the Span message, which lies in `message`.
Result<std::string_view> ParseWriteSpan(std::string_view message);

// GetTraceRequest. The times are hints and not read. No id is the zero id, which no trace has.
Result<TraceId> ParseGetTrace(std::string_view message);

// FindTracesRequest and FindTraceIDsRequest. A depth of 0 or less is kSearchDepthDefault; more than
// `depth_max` is `depth_max`.
Result<TraceQuery> ParseFindTraces(std::string_view message, uint32_t depth_max);

// The filter of tags: each one lies on the span, its process or one of its logs, and its text is
// equal. Spans came as OTLP, or were translated to it, so that some tags are fields: then the field
// is asked too. As Jaeger's own v1 stores answer (its memory store is the model), over the tags
// that from_otlp.h shows.
FilterNode LowerTag(const std::string& key, const std::string& value);

}  // namespace larder::v1
