#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/process_facts.h"
#include "bench/raw_limits.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"

namespace larder::bench {
namespace {

double PerSpan(double amount, const PumpResult& sent) {
  return amount / static_cast<double>(std::max<uint64_t>(sent.spans, 1));
}
double PerSpan(uint64_t amount, const PumpResult& sent) {
  return PerSpan(static_cast<double>(amount), sent);
}

void PrintSent(PumpResult* sent) {
  PrintTitle("sent");
  PrintFigure("spans", static_cast<double>(sent->spans), "");
  PrintFigure("spans per request",
              PerSpan(sent->spans, *sent) * static_cast<double>(sent->spans) /
                  static_cast<double>(sent->requests),
              "");
  PrintFigure("on the wire", PerSpan(sent->otlp_bytes, *sent), "B/span");
  PrintFigure("acknowledged", static_cast<double>(sent->spans) * 1e6 / sent->wall_us, "spans/s",
              "goal >= 500,000");
  PrintFigure("acknowledged after, p50", sent->acks.PercentileMs(0.5), "ms");
  PrintFigure("acknowledged after, p99", sent->acks.PercentileMs(0.99), "ms");
  PrintFigure("refused for the moment and sent again", static_cast<double>(sent->retries),
              "requests");
  PrintFigure("generator, CPU", PerSpan(sent->generator_cpu_us, *sent), "us/span");
}

void PrintSplits(const Workload& load, uint64_t segment_rows) {
  const SplitShares splits = load.Splits(segment_rows);
  PrintTitle("what came apart");
  PrintFigure("traces in several requests", splits.traces_over_requests * 100, "%");
  PrintFigure("edges between services over two requests", splits.edges_over_requests * 100, "%");
  PrintFigure("parent to child, median gap on arrival", splits.edge_gap_median_s, "s");
  PrintFigure("rows per segment", static_cast<double>(segment_rows), "");
  PrintFigure("traces in several segments", splits.traces_over_segments * 100, "%");
  PrintFigure("edges over two segments", splits.edges_over_segments * 100, "%");
}

void PrintCpu(const StoreStats& stats, double store_cpu_us, const PumpResult& sent) {
  const auto stage = [&](uint64_t ns) { return PerSpan(static_cast<double>(ns) / 1e3, sent); };
  const double stages_us = stage(stats.append_cpu_ns) + stage(stats.journal_cpu_ns) +
                           stage(stats.seal_cpu_ns) + stage(stats.maintenance_cpu_ns);
  PrintTitle("CPU, everything settled");
  PrintFigure("store, all", PerSpan(store_cpu_us, sent), "us/span", "goal <= 2.0 with gRPC's 0.6");
  PrintFigure("  walk and append", stage(stats.append_cpu_ns), "us/span");
  PrintFigure("  journal", stage(stats.journal_cpu_ns), "us/span");
  PrintFigure("  seal", stage(stats.seal_cpu_ns), "us/span");
  PrintFigure("  merge, close, retention", stage(stats.maintenance_cpu_ns), "us/span");
  PrintFigure("  the rest", PerSpan(store_cpu_us, sent) - stages_us, "us/span");
}

Status PrintDisk(Store* store, const StoreStats& stats, uint64_t written_bytes,
                 const std::string& data_dir, const PumpResult& sent) {
  PrintTitle("disk, everything settled");
  PrintFigure("segments and indexes", PerSpan(stats.stored_bytes, sent), "B/span", "goal <= 28");
  PrintFigure("the data directory", PerSpan(DirectoryBytes(data_dir), sent), "B/span");
  std::vector<std::pair<std::string, uint64_t>> sections;
  LARDER_RETURN_IF_ERROR(store->SectionSizes(&sections));
  for (const auto& [name, bytes] : sections) {
    PrintFigure("  " + name, PerSpan(bytes, sent), "B/span");
  }
  PrintTitle("written in all");
  PrintFigure("by the process to disk", PerSpan(written_bytes, sent), "B/span", "goal <= 120");
  PrintFigure("  journal", PerSpan(stats.journal_bytes_written, sent), "B/span");
  PrintFigure("  segments", PerSpan(stats.segment_bytes_written, sent), "B/span");
  PrintFigure("  partition indexes", PerSpan(stats.index_bytes_written, sent), "B/span");
  PrintFigure("  merges", PerSpan(stats.merge_bytes_written, sent), "B/span");
  PrintFigure("syncs of the journal", static_cast<double>(stats.journal_syncs), "");
  return Status::Ok();
}

Status IngestIntoStore(const Session& session) {
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  Workload load(&session.templates, session.load);
  const ProcessFacts before = FactsOf(0);
  LARDER_ASSIGN_OR_RETURN(PumpResult sent, Fill(session, &load, store.get()));
  const ProcessFacts filled = FactsOf(0);
  LARDER_RETURN_IF_ERROR(store->Settle());
  const ProcessFacts settled = FactsOf(0);
  const StoreStats stats = store->stats();
  if (stats.stored_rows != sent.spans) {
    return Status::DataLoss("sent " + std::to_string(sent.spans) + " spans, the store has " +
                            std::to_string(stats.stored_rows));
  }
  LARDER_RETURN_IF_ERROR(CheckTraces(load, store.get(), 200));
  PrintSent(&sent);
  PrintCpu(stats, settled.cpu_us - before.cpu_us - sent.client_cpu_us, sent);
  LARDER_RETURN_IF_ERROR(PrintDisk(store.get(), stats, settled.written_bytes - before.written_bytes,
                                   session.store.data_dir, sent));
  PrintTitle("memory");
  PrintFigure("peak while ingesting, generator included",
              static_cast<double>(filled.peak_rss_bytes) / (1 << 20), "MiB", "goal <= 256");
  PrintFigure("of it the generator's, about", static_cast<double>(load.memory_bytes()) / (1 << 20),
              "MiB");
  PrintSplits(load, sent.spans / std::max<uint64_t>(stats.segments, 1));
  PrintRawLimits(MeasureRawLimits(session.templates, session.load, session.store.data_dir));
  return Status::Ok();
}

// Until the server has done next to nothing for 20 s: a head is sealed after 15 idle ones.
void WaitUntilIdle(int pid) {
  int idle_s = 0;
  for (int second = 0; second < 300 && idle_s < 20; ++second) {
    const double before_us = FactsOf(pid).cpu_us;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    idle_s = FactsOf(pid).cpu_us - before_us < 20'000 ? idle_s + 1 : 0;
  }
}

Status IngestIntoServer(const Session& session, const std::string& address, int pid) {
  const std::unique_ptr<Target> target = address.starts_with("http://")
                                             ? MakeHttpTarget(address, session.in_flight)
                                             : MakeServerTarget(address);
  Workload load(&session.templates, session.load);
  const ProcessFacts before = FactsOf(pid);
  LARDER_ASSIGN_OR_RETURN(PumpResult sent, Pump(&load, target.get(), session.in_flight));
  PrintSent(&sent);
  if (pid == 0) {
    PrintNote("give --server-pid for the server's CPU, memory and writes");
    return Status::Ok();
  }
  const ProcessFacts acknowledged = FactsOf(pid);
  WaitUntilIdle(pid);
  const ProcessFacts settled = FactsOf(pid);
  PrintTitle("server");
  PrintFigure("CPU until the last answer", PerSpan(acknowledged.cpu_us - before.cpu_us, sent),
              "us/span");
  PrintFigure("CPU, everything settled", PerSpan(settled.cpu_us - before.cpu_us, sent), "us/span",
              "goal <= 2.0");
  PrintFigure("written to disk", PerSpan(settled.written_bytes - before.written_bytes, sent),
              "B/span", "goal <= 120");
  PrintFigure("peak memory", static_cast<double>(settled.peak_rss_bytes) / (1 << 20), "MiB",
              "goal <= 256");
  if (session.scratch == nullptr) {
    PrintFigure("the data directory", PerSpan(DirectoryBytes(session.store.data_dir), sent),
                "B/span", "goal <= 28");
  }
  return Status::Ok();
}

}  // namespace

Status RunIngest(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(const Session session, ReadSession(flags, 1'000'000, 0));
  const std::string address = flags->Text("server");
  const auto pid = static_cast<int>(flags->Number("server-pid", 0));
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  return address.empty() ? IngestIntoStore(session) : IngestIntoServer(session, address, pid);
}

}  // namespace larder::bench
