// Reads the requests of jaeger.storage.v2 from their wire bytes. Every failure is kInvalidArgument
// and says which field is wrong and what is accepted. Fields of a later interface are skipped, as
// protobuf does; fields that this server knows and does not serve are refused, never ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"

namespace larder {

constexpr uint32_t kSearchDepthDefault = 100;

// GetTracesRequest. The times of a request are hints and not read: a trace is answered whole. A
// short trace id is padded with zeroes on the right, as Jaeger's own server does.
Result<std::vector<TraceId>> ParseGetTraces(std::string_view message);

// FindTracesRequest, FindTraceIDsRequest and FindTraceSummariesRequest. A depth of 0 or less is
// kSearchDepthDefault; more than `depth_max` is `depth_max`. A structured filter stands beside no
// legacy field but times and depth.
Result<TraceQuery> ParseFindTraces(std::string_view message, uint32_t depth_max);

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
