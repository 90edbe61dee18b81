// The journal, and beside it what its parts cost bare. Items are spans; the argument is the number
// of requests in a commit group.
#include <memory>
#include <span>

#include <benchmark/benchmark.h>
#include <zstd.h>

#include "bench/micro_load.h"
#include "storage/journal/journal.h"
#include "tests/support/scratch_directory.h"

namespace larder::bench {
namespace {

std::vector<JournalRecord> Records(const MicroLoad& load) {
  std::vector<JournalRecord> records;
  for (const std::string& request : load.requests) records.push_back({.request = request});
  return records;
}

// Every group of `load`; false when one was refused.
bool CommitAll(JournalWriter* writer, const std::vector<JournalRecord>& records, size_t group) {
  for (size_t i = 0; i < records.size(); i += group) {
    const size_t count = std::min(group, records.size() - i);
    if (!writer->Commit(std::span(records).subspan(i, count)).ok()) return false;
  }
  return true;
}

void Commit(benchmark::State& state, bool sync) {
  const MicroLoad& load = TheMicroLoad();
  const std::vector<JournalRecord> records = Records(load);
  const auto group = static_cast<size_t>(state.range(0));
  const ScratchDirectory scratch;
  FileSystem& files = FileSystem::Posix();
  uint64_t generation = 0;
  uint64_t written_bytes = 0;
  for (auto _ : state) {
    auto writer = JournalWriter::Create(&files, scratch.path(), generation, sync);
    if (!writer.ok() || !CommitAll(writer->get(), records, group)) {
      state.SkipWithError("the journal refused a group");
      break;
    }
    written_bytes = (*writer)->size_bytes();
    state.PauseTiming();
    if (!files.Remove(scratch.File(JournalFileName(generation++))).ok()) {
      state.SkipWithError("the journal cannot be removed");
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(load.spans));
  state.counters["B_per_span"] =
      static_cast<double>(written_bytes) / static_cast<double>(load.spans);
}
void CommitAsync(benchmark::State& state) { Commit(state, false); }
void CommitSync(benchmark::State& state) { Commit(state, true); }
BENCHMARK(CommitAsync)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->Unit(benchmark::kMillisecond);
BENCHMARK(CommitSync)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

void Replay(benchmark::State& state) {
  const MicroLoad& load = TheMicroLoad();
  const ScratchDirectory scratch;
  FileSystem& files = FileSystem::Posix();
  auto writer = JournalWriter::Create(&files, scratch.path(), 1, false);
  if (!writer.ok() || !CommitAll(writer->get(), Records(load), 4)) {
    state.SkipWithError("the journal refused a group");
    return;
  }
  for (auto _ : state) {
    uint64_t bytes = 0;
    const auto count = [&bytes](const JournalRecord& record) {
      bytes += record.request.size();
      return Status::Ok();
    };
    const auto replay = ReplayJournal(&files, scratch.File(JournalFileName(1)), count);
    if (!replay.ok() || bytes != load.bytes) state.SkipWithError("requests are missing");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(load.spans));
}
BENCHMARK(Replay)->Unit(benchmark::kMillisecond);

// The limit: the compressor alone, request by request, at the level of the argument.
void ZstdOfRequests(benchmark::State& state) {
  const MicroLoad& load = TheMicroLoad();
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  std::string out;
  uint64_t packed_bytes = 0;
  for (auto _ : state) {
    packed_bytes = 0;
    for (const std::string& request : load.requests) {
      out.resize(ZSTD_compressBound(request.size()));
      packed_bytes += ZSTD_compressCCtx(context.get(), out.data(), out.size(), request.data(),
                                        request.size(), static_cast<int>(state.range(0)));
    }
  }
  if (packed_bytes >= load.bytes) state.SkipWithError("nothing was compressed");
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(load.spans));
  state.counters["B_per_span"] =
      static_cast<double>(packed_bytes) / static_cast<double>(load.spans);
}
BENCHMARK(ZstdOfRequests)->Arg(-1)->Arg(1)->Arg(3)->Unit(benchmark::kMillisecond);

// The limit: a write and a sync of the argument's size, nothing else. Items are writes.
void WriteAndSync(benchmark::State& state) {
  const ScratchDirectory scratch;
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  auto file = FileSystem::Posix().CreateFile(scratch.File("raw"));
  for (auto _ : state) {
    if (!file.ok() || !(*file)->Append(bytes).ok() || !(*file)->Sync().ok()) {
      state.SkipWithError("the disk failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WriteAndSync)->Arg(4 << 10)->Arg(64 << 10)->UseRealTime();

}  // namespace
}  // namespace larder::bench
