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
// `depth_max` is `depth_max`. At most kSearchAttributesMax tags.
Result<TraceQuery> ParseFindTraces(std::string_view message, uint32_t depth_max);

}  // namespace larder::v1
