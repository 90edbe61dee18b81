// Sealing a table into a segment, and reading from it. Items are spans, or traces where it says so.
#include <map>
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/micro_load.h"
#include "storage/model/span_table.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"

namespace larder::bench {
namespace {

// The pages of one segment, in memory.
class Pages : public PageSink {
 public:
  Status Put(PageKey key, std::string_view bytes) override {
    pages_->emplace(key, bytes);
    return Status::Ok();
  }
  std::unique_ptr<PageSource> Source() const { return std::make_unique<PagesSource>(pages_); }

 private:
  using Map = std::map<PageKey, std::string>;
  class PagesSource : public PageSource {
   public:
    explicit PagesSource(std::shared_ptr<const Map> pages) : pages_(std::move(pages)) {}
    Result<PageBytes> Get(PageKey key) const override {
      const auto found = pages_->find(key);
      if (found == pages_->end()) return Status::NotFound(key.ToString());
      return PageBytes(found->second, pages_);
    }

   private:
    std::shared_ptr<const Map> pages_;
  };
  std::shared_ptr<Map> pages_ = std::make_shared<Map>();
};

const SpanTable& LoadedTable() {
  static const SpanTable* const loaded = [] {
    auto* table = new SpanTable;
    for (const std::string& request : TheMicroLoad().requests) {
      if (!table->Append(request, {}).ok()) return table;
    }
    table->Publish();
    return table;
  }();
  return *loaded;
}

std::shared_ptr<const Segment> OpenSegment(PageCache* cache) {
  static const Pages* const pages = [] {
    auto* written = new Pages;
    (void)WriteSegment(LoadedTable(), {}, {}, written).ok();
    return written;
  }();
  auto segment = Segment::Open(pages->Source(), cache);
  return segment.ok() ? *segment : nullptr;
}

void Seal(benchmark::State& state) {
  const SpanTable& table = LoadedTable();
  for (auto _ : state) {
    Pages pages;
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
  const SpanTable& table = LoadedTable();
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
