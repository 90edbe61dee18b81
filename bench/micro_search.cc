// One source searched a block at a time, as the engine's walk does. Items are rows.
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/micro_pages.h"
#include "storage/segment/table/table_source.h"

namespace larder::bench {
namespace {

FilterNode AttributeIs(std::string key, std::string text) {
  return FilterNode::Leaf(FilterOp::kEq, AttributeRef{std::move(key), AttributeLevel::kAny},
                          Constant{.type = Constant::Type::kLegacyText, .text = std::move(text)});
}

FilterNode DurationAtLeast(int64_t ns) {
  return FilterNode::Leaf(FilterOp::kGte, FieldRef{Field::kDuration},
                          Constant{.type = Constant::Type::kDuration, .number = ns});
}

void SearchHead(benchmark::State& state, const FilterNode& filter) {
  const std::shared_ptr<const SpanSource> source = MakeTableSource(TheTable());
  size_t found = 0;
  size_t blocks = 0;
  for (auto _ : state) {
    auto search = source->Search(filter, {}, SearchBudget::Unbounded());
    if (!search.ok()) {
      state.SkipWithError("the search was refused");
      break;
    }
    std::vector<SpanMatch> matches;
    blocks = (*search)->candidate_blocks().size();
    for (const uint32_t block : (*search)->candidate_blocks()) {
      if (!(*search)->Match(block, &matches).ok()) state.SkipWithError("a block failed");
    }
    found = matches.size();
  }
  state.SetItemsProcessed(state.iterations() * source->row_count());
  state.counters["found"] = static_cast<double>(found);
  state.counters["blocks"] = static_cast<double>(blocks);
}

void SearchHeadAll(benchmark::State& state) { SearchHead(state, FilterNode{}); }
void SearchHeadDuration(benchmark::State& state) {
  SearchHead(state, DurationAtLeast(100'000'000));
}
void SearchHeadAbsent(benchmark::State& state) {
  SearchHead(state, AttributeIs("no.such.key", "no such value"));
}
void SearchHeadStatusCode(benchmark::State& state) {
  SearchHead(state, AttributeIs("http.status_code", "200"));
}
BENCHMARK(SearchHeadAll)->Unit(benchmark::kMicrosecond);
BENCHMARK(SearchHeadDuration)->Unit(benchmark::kMicrosecond);
BENCHMARK(SearchHeadAbsent)->Unit(benchmark::kMicrosecond);
BENCHMARK(SearchHeadStatusCode)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace larder::bench
