// Writes a load as a collector of Jaeger v1 does: span by span, by a number of workers that share
// one connection.
#pragma once

#include <cstdint>
#include <string>

#include "bench/pump.h"
#include "bench/workload.h"

namespace larder::bench {

enum class V1Way : uint8_t {
  kUnary,   // WriteSpan: each worker waits for its answer
  kStream,  // WriteSpanStream: each worker has a stream, which is answered when it ends
};

// Sends all of `load` and waits for every answer; a stream's spans have no times of their own. The
// first failure ends it.
Result<PumpResult> WriteByV1(Workload* load, const std::string& address, V1Way way,
                             uint32_t workers);

}  // namespace larder::bench
