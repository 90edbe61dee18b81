// Summaries as Jaeger itself makes them of a store that has none: from the spans of FindTraces.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/model/query.h"
#include "storage/model/span.h"

namespace larder {

struct JaegerSummary {
  TraceSummary summary;
  // Service and operation of every span that could be the root: of several that start first, the
  // one that was answered first is.
  std::set<std::pair<std::string, std::string>> roots;
};

// `answered` are the spans of one trace, in the order in which they were answered. As Jaeger's
// query service: spans equal in every field are one, and a server's span that shares its id with a
// client's span gets an id of its own and becomes that one's child, and its children stay its own.
JaegerSummary SummariseAsJaeger(const std::vector<Span>& answered);

}  // namespace larder
