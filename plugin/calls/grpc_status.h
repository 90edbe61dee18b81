// Our outcomes as gRPC's. Codes have the same numbers; what gRPC adds is here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <grpcpp/support/status.h>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder {

// The message is cut to what fits into a trailer. With `retry_after_ms` not 0 the trailer
// grpc-status-details-bin carries google.rpc.RetryInfo, which tells an OTLP client to come again
// and when.
grpc::Status ToGrpcStatus(const Status& status, uint32_t retry_after_ms = 0);

// The trailer, with any value, of an UNAVAILABLE that a store itself has answered: what is asked
// again gets the same. One without it is for want of a store, and may find one a moment later.
inline constexpr const char* kAnsweredTrailer = "larder-answered";

// The value of the trailer `larder-gaps`: what a query could not read, in printable ASCII and at
// most a few hundred bytes. REQUIRES: not empty.
std::string GapsTrailer(const std::vector<Gap>& gaps);

}  // namespace larder
