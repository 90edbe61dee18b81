// One structured filter for each shape of predicate, over values that the load really has.
#pragma once

#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/span.h"

namespace larder::bench {

struct NamedFilter {
  std::string name;
  FilterNode filter;
};

// Made of the values of some spans of the load (at least one). Shapes for which they have no value
// are left out.
Result<std::vector<NamedFilter>> FiltersByShape(const std::vector<Span>& spans);

// Whether a span of the trace satisfies the filter, naively.
bool TraceMatches(const std::vector<Span>& trace, const FilterNode& filter);

}  // namespace larder::bench
