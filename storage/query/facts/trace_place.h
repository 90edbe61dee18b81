// Where rows of a trace lie in one source.
#pragma once

#include <cstdint>
#include <vector>

namespace larder {

struct TracePlace {
  uint32_t entry = 0;          // of View::entries
  std::vector<uint32_t> rows;  // ascending, never empty
};

}  // namespace larder
