// Reads FindSpansRequest (jaeger.storage.v2) from its wire bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/span_query.h"

namespace larder {

struct SpanSearch {
  SpanQuery query;
  uint64_t fingerprint = 0;  // what the page's token is bound to
};

// Both times are required; without a filter every span of the time range is found, without
// `pagination` the first kPageSizeDefault. kInvalidArgument says which field is wrong.
Result<SpanSearch> ParseFindSpans(std::string_view message, TenantId tenant,
                                  uint32_t page_size_max);

}  // namespace larder
