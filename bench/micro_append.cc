// Wire bytes to rows in memory: the walk and the append, fused. Items are spans.
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/micro_load.h"
#include "storage/model/table/span_table.h"

namespace larder::bench {
namespace {

void WalkAndAppend(benchmark::State& state) {
  const MicroLoad& load = TheMicroLoad();
  uint64_t memory_bytes = 0;
  for (auto _ : state) {
    auto table = std::make_unique<SpanTable>();
    for (const std::string& request : load.requests) {
      if (!table->Append(request, {}).ok()) state.SkipWithError("a request was refused");
      table->Publish();
    }
    state.PauseTiming();
    if (table->published_rows() != load.spans) state.SkipWithError("spans are missing");
    memory_bytes = table->memory_bytes();
    table.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(load.spans));
  state.counters["memory_B_per_span"] =
      static_cast<double>(memory_bytes) / static_cast<double>(load.spans);
}
BENCHMARK(WalkAndAppend)->Unit(benchmark::kMillisecond);

void EncodeSpans(benchmark::State& state) {
  const MicroLoad& load = TheMicroLoad();
  SpanTable table;
  for (const std::string& request : load.requests) {
    if (!table.Append(request, {}).ok()) state.SkipWithError("a request was refused");
  }
  table.Publish();
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (uint32_t row = 0; row < table.published_rows(); ++row) table.EncodeSpan(row, &out);
    benchmark::DoNotOptimize(out.data());
  }
  if (out.size() < load.bytes / 2) state.SkipWithError("the spans have shrunk");
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(load.spans));
}
BENCHMARK(EncodeSpans)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::bench
