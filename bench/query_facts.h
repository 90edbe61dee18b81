// What to ask for: services, operations and attributes that the load really has.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/workload.h"
#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/model/span.h"

namespace larder::bench {

struct QueryFacts {
  using TextAttribute = std::pair<std::string, std::string>;

  std::string service;               // with the most spans
  std::string rare_service;          // with the fewest
  std::string operation;             // of `service`, with the most spans
  TextAttribute frequent;            // of spans of `service`: on most of them, but not on all
  std::vector<TextAttribute> three;  // at most three that one span of `operation` carries together
  // Two frequent ones, of two keys, that no span carries together, though spans of one operation
  // and the same keys carry either: only rows keep them apart. Perhaps none.
  std::vector<TextAttribute> never_meet;
};

// The first 20,000 spans of a load.
Result<std::vector<Span>> LookAt(const TemplateSet& templates, WorkloadOptions load);

QueryFacts PickFacts(const std::vector<Span>& spans);

// Whether one span of the trace satisfies the whole search, naively. Attributes: strings of span
// and resource only.
bool TraceMatches(const std::vector<Span>& trace, const LegacySearch& search);

// The calls between services that the load's first `trace_count` traces hold. Sorted.
std::vector<Dependency> ExpectedDependencies(const TemplateSet& templates, const Workload& load);

}  // namespace larder::bench
