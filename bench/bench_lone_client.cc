#include <algorithm>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"

namespace larder::bench {

// One client that waits for each answer before it sends the next small request: no group to commit
// with, so every request pays its own sync and its own frame.
Status RunLoneClient(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(Session session, ReadSession(flags, 5000, 0));
  session.load.spans_per_request = static_cast<double>(flags->Number("spans-per-request", 10));
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  session.in_flight = 1;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  Workload load(&session.templates, session.load);
  const ProcessFacts before = FactsOf(0);
  LARDER_ASSIGN_OR_RETURN(PumpResult sent, Fill(session, &load, store.get()));
  LARDER_RETURN_IF_ERROR(store->Settle());
  const ProcessFacts settled = FactsOf(0);
  LARDER_RETURN_IF_ERROR(CheckTraces(load, store.get(), 100));
  const StoreStats stats = store->stats();
  const auto spans = static_cast<double>(std::max<uint64_t>(sent.spans, 1));
  PrintTitle("one lone client");
  PrintFigure("spans", spans, "");
  PrintFigure("spans per request", spans / static_cast<double>(sent.requests), "");
  PrintFigure("acknowledged", spans * 1e6 / sent.wall_us, "spans/s");
  PrintFigure("acknowledged after, p50", sent.acks.PercentileMs(0.5), "ms");
  PrintFigure("acknowledged after, p99", sent.acks.PercentileMs(0.99), "ms");
  PrintFigure("written by the process to disk",
              static_cast<double>(settled.written_bytes - before.written_bytes) / spans, "B/span");
  PrintFigure("  journal", static_cast<double>(stats.journal_bytes_written) / spans, "B/span");
  PrintFigure("  segments", static_cast<double>(stats.segment_bytes_written) / spans, "B/span");
  PrintFigure("on disk, settled", static_cast<double>(stats.stored_bytes) / spans, "B/span");
  return Status::Ok();
}

}  // namespace larder::bench
