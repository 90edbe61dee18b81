// Sealing a table into a segment, and reading from it. Items are spans, or traces where it says so.
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/micro_pages.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"

namespace larder::bench {
namespace {

void Seal(benchmark::State& state) {
  const SpanTable& table = *TheTable();
  for (auto _ : state) {
    MemoryPages pages;
    if (!WriteSegment(table, {}, {}, &pages).ok()) state.SkipWithError("the seal failed");
  }
  const auto spans = static_cast<double>(table.published_rows());
  PageCache cache(1 << 20);
  const auto segment = OpenSegment(&cache);
  std::vector<std::pair<std::string, uint64_t>> sizes;
  if (segment == nullptr || !segment->SectionSizes(&sizes).ok()) {
    state.SkipWithError("the segment cannot be opened");
    return;
  }
  for (const auto& [section, bytes] : sizes) {
    state.counters["B_per_span:" + section] = static_cast<double>(bytes) / spans;
  }
  state.counters["B_per_span"] = static_cast<double>(segment->info().size_bytes) / spans;
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(table.published_rows()));
}
BENCHMARK(Seal)->Unit(benchmark::kMillisecond);

class Ignore : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view, std::string_view, std::string_view span) override {
    bytes += span.size();
    return true;
  }
  uint64_t bytes = 0;
};

void EncodeAllRows(benchmark::State& state) {
  PageCache cache(256 << 20);
  const auto segment = OpenSegment(&cache);
  if (segment == nullptr) {
    state.SkipWithError("the segment cannot be opened");
    return;
  }
  std::vector<uint32_t> rows(segment->row_count());
  for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
  for (auto _ : state) {
    Ignore visitor;
    if (!segment->EncodeRows(rows, &visitor).ok()) state.SkipWithError("rows cannot be read");
    benchmark::DoNotOptimize(visitor.bytes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows.size()));
}
BENCHMARK(EncodeAllRows)->Unit(benchmark::kMillisecond);

// One trace by its id, whole, with no page in the cache (argument 0) or with all (1). Items are
// traces.
void ReadTrace(benchmark::State& state) {
  PageCache cache(256 << 20);
  const auto segment = OpenSegment(&cache);
  if (segment == nullptr) {
    state.SkipWithError("the segment cannot be opened");
    return;
  }
  const SpanTable& table = *TheTable();
  uint32_t next = 0;
  for (auto _ : state) {
    if (state.range(0) == 0) {
      state.PauseTiming();
      cache.set_capacity_bytes(0);
      cache.set_capacity_bytes(256 << 20);
      state.ResumeTiming();
    }
    next = (next + 7919) % table.published_rows();
    std::vector<uint32_t> rows;
    Ignore visitor;
    if (!segment->FindTrace(table.row(next).trace_id, &rows).ok() || rows.empty() ||
        !segment->EncodeRows(rows, &visitor).ok()) {
      state.SkipWithError("a trace cannot be read");
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ReadTrace)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace larder::bench
