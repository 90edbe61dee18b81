// Reads the requests of jaeger.storage.v2 from their wire bytes. Every failure is kInvalidArgument
// and says which field is wrong and what is accepted. Fields of a later interface are skipped, as
// protobuf does; fields that this server knows and does not serve are refused, never ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"

namespace larder {

constexpr uint32_t kSearchDepthDefault = 100;

// As many as a structured filter may list (kFilterValuesMax), and as a search answers by default.
// Each attribute of a search holds memory in every head and segment that it looks at.
constexpr size_t kSearchAttributesMax = 10'000;
constexpr size_t kTraceIdsMax = 10'000;

// GetTracesRequest. The times of a request are hints and not read: a trace is answered whole. A
// short trace id is padded with zeroes on the right, as Jaeger's own server does. At most
// kTraceIdsMax ids.
Result<std::vector<TraceId>> ParseGetTraces(std::string_view message);

struct SearchLimits {
  uint32_t depth_max = 0;      // a larger search_depth is this much
  uint32_t page_size_max = 0;  // as much for page_size
};

struct TraceSearch {
  TraceQuery query;          // says_next when `pagination` was given
  uint64_t fingerprint = 0;  // then: what the page's token is bound to
};

// FindTraceIDsRequest and FindTraceSummariesRequest. A depth of 0 or less is kSearchDepthDefault. A
// structured filter stands beside no legacy field but times, depth and page; a page stands in place
// of a depth. At most kSearchAttributesMax attributes.
Result<TraceSearch> ParseTraceSearch(std::string_view message, TenantId tenant,
                                     const SearchLimits& limits);
// FindTracesRequest: the same without a page.
Result<TraceQuery> ParseFindTraces(std::string_view message, TenantId tenant,
                                   const SearchLimits& limits);

struct OperationsRequest {
  std::string service;
  std::string kind_word;  // empty: all kinds
};
Result<OperationsRequest> ParseGetOperations(std::string_view message);

// GetDependenciesRequest: both times are required, the end not before the start.
Result<TimeRange> ParseGetDependencies(std::string_view message);

// The words of OTLP's span kinds, "" for unspecified and for numbers that have no word.
std::string_view OperationKindWord(int32_t kind);
// The number of a word; -1 when there is none. REQUIRES: not empty.
int32_t KindNumber(std::string_view word);

}  // namespace larder
