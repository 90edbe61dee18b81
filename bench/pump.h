// Drives a load into a target: a closed loop with a number of requests in flight.
#pragma once

#include <cstdint>

#include "bench/latencies.h"
#include "bench/target.h"
#include "bench/workload.h"

namespace larder::bench {

struct PumpResult {
  uint64_t spans = 0;
  uint64_t requests = 0;
  uint64_t otlp_bytes = 0;
  uint64_t retries = 0;  // refused for the moment and sent again
  double wall_us = 0;
  double generator_cpu_us = 0;  // making the requests
  double client_cpu_us = 0;     // the whole calling thread, the generator included
  Latencies acks;
};

// Sends all of `load` and waits for every answer. Requests that are refused for the moment are sent
// again. The first other failure, or a rejected span, ends it (kInternal).
Result<PumpResult> Pump(Workload* load, Target* target, uint32_t in_flight);

}  // namespace larder::bench
