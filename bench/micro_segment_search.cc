// A sealed segment searched as the engine's walk does it: blocks from the latest start down, until
// enough traces are found. Argument 0: no page in the cache when the search begins, 1: all of them.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <benchmark/benchmark.h>

#include "bench/micro_load.h"
#include "bench/micro_pages.h"

namespace larder::bench {
namespace {

constexpr size_t kTracesWanted = 20;

FilterNode Leaf(FilterOp op, Operand left, Constant::Type type, std::string text,
                int64_t number = 0) {
  return FilterNode::Leaf(op, std::move(left),
                          Constant{.type = type, .text = std::move(text), .number = number});
}

FilterNode AttributeIs(std::string key, std::string text) {
  return Leaf(FilterOp::kEq, AttributeRef{.key = std::move(key), .level = AttributeLevel::kAny},
              Constant::Type::kLegacyText, std::move(text));
}
FilterNode FieldIs(Field field, std::string text) {
  return Leaf(FilterOp::kEq, FieldRef{.field = field}, Constant::Type::kString, std::move(text));
}
FilterNode DurationAtLeast(int64_t ns) {
  return Leaf(FilterOp::kGte, FieldRef{.field = Field::kDuration}, Constant::Type::kDuration, {},
              ns);
}
FilterNode All(std::vector<FilterNode> children) {
  return FilterNode::Group(FilterOp::kAnd, std::move(children));
}

struct Walked {
  size_t traces = 0;
  size_t blocks = 0;  // visited
};

// The newest traces that match, and how many blocks it took.
Walked Walk(const Segment& segment, const FilterNode& filter, benchmark::State* state) {
  Walked walked;
  auto search = segment.Search(filter, {}, SearchBudget::Unbounded());
  if (!search.ok()) {
    state->SkipWithError("the search was refused");
    return walked;
  }
  std::vector<uint32_t> blocks = (*search)->candidate_blocks();
  std::sort(blocks.begin(), blocks.end(), [&](uint32_t a, uint32_t b) {
    return (*search)->latest_start_ns(a) > (*search)->latest_start_ns(b);
  });
  std::map<TraceId, uint64_t> latest;
  std::multiset<uint64_t> best;  // starts of the newest traces
  std::vector<SpanMatch> matches;
  for (const uint32_t block : blocks) {
    if (best.size() >= kTracesWanted && *best.begin() > (*search)->latest_start_ns(block)) break;
    ++walked.blocks;
    matches.clear();
    if (!(*search)->Match(block, &matches).ok()) state->SkipWithError("a block failed");
    for (const SpanMatch& match : matches) {
      if (best.size() >= kTracesWanted && match.start_ns <= *best.begin()) continue;
      uint64_t& known = latest[match.trace_id];
      if (known >= match.start_ns) continue;
      // A trace that fell out of `best` comes back only with a later start.
      const auto old = best.find(known);
      if (known != 0 && old != best.end()) best.erase(old);
      known = match.start_ns;
      best.insert(known);
      if (best.size() > kTracesWanted) best.erase(best.begin());
    }
  }
  walked.traces = best.size();
  return walked;
}

void SearchSegment(benchmark::State& state, const FilterNode& filter) {
  PageCache cache(512 << 20);
  const auto segment = OpenSegment(&cache);
  if (segment == nullptr) {
    state.SkipWithError("the segment cannot be opened");
    return;
  }
  Walked walked;
  for (auto _ : state) {
    if (state.range(0) == 0) {
      state.PauseTiming();
      cache.set_capacity_bytes(0);
      cache.set_capacity_bytes(512 << 20);
      state.ResumeTiming();
    }
    walked = Walk(*segment, filter, &state);
  }
  state.counters["traces"] = static_cast<double>(walked.traces);
  state.counters["blocks"] = static_cast<double>(walked.blocks);
}

#define LARDER_SEARCH(name, filter)                                    \
  void name(benchmark::State& state) { SearchSegment(state, filter); } \
  BENCHMARK(name)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond)

LARDER_SEARCH(SegmentNewest, FilterNode{});
LARDER_SEARCH(SegmentService, FieldIs(Field::kResourceService, "frontend"));
LARDER_SEARCH(SegmentFrequentAttribute, AttributeIs("http.status_code", "200"));
LARDER_SEARCH(SegmentRareAttribute, AttributeIs("http.status_code", "404"));
LARDER_SEARCH(SegmentAbsentValue, AttributeIs("http.status_code", "999"));
LARDER_SEARCH(SegmentAbsentKey, AttributeIs("no.such.key", "1"));
LARDER_SEARCH(SegmentUniqueValue,
              AttributeIs("http.request_id", "00000000-0000-0000-0000-000000000000"));
LARDER_SEARCH(SegmentDuration, DurationAtLeast(1'000'000'000));
LARDER_SEARCH(SegmentServiceAndDuration,
              All({FieldIs(Field::kResourceService, "frontend"), DurationAtLeast(500'000'000)}));
LARDER_SEARCH(SegmentNeverMeet,
              All({FieldIs(Field::kResourceService, "frontend"), AttributeIs("rpc.system", "grpc"),
                   AttributeIs("http.method", "GET")}));
LARDER_SEARCH(SegmentRegex, Leaf(FilterOp::kRegex,
                                 AttributeRef{.key = "http.target", .level = AttributeLevel::kAny},
                                 Constant::Type::kString, "/api/cart.*"));
LARDER_SEARCH(SegmentErrors, FieldIs(Field::kStatus, "error"));

}  // namespace
}  // namespace larder::bench
