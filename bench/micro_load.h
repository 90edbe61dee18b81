// The requests that the micro benches share, made once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace larder::bench {

struct MicroLoad {
  std::vector<std::string> requests;
  uint64_t spans = 0;
  uint64_t bytes = 0;
};

// LARDER_BENCH_SPANS spans (100,000 when it is not set) of the capture or of otel-demo.
const MicroLoad& TheMicroLoad();

}  // namespace larder::bench
