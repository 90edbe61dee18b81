#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"
#include "storage/journal/journal.h"

namespace larder::bench {
namespace {

// Fills a store and ends without closing it, as kill -9 does. Runs in a child process.
[[noreturn]] void FillAndVanish(const Session& session) {
  auto store = Store::Open(session.store);
  if (!store.ok()) ::_exit(1);
  Workload load(&session.templates, session.load);
  const Result<PumpResult> sent = Fill(session, &load, store->get());
  ::_exit(sent.ok() ? 0 : 1);
}

// Bytes of the requests that lie in journals.
uint64_t JournalledBytes(const std::string& data_dir) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_dir)) {
    uint64_t generation = 0;
    if (!ParseJournalFileName(entry.path().filename().string(), &generation)) continue;
    const auto replay = ReplayJournal(&FileSystem::Posix(), entry.path().string(),
                                      [&bytes](const JournalRecord& record) {
                                        bytes += record.request.size();
                                        return Status::Ok();
                                      });
    if (!replay.ok()) PrintNote(replay.status().ToString());
  }
  return bytes;
}

}  // namespace

Status RunRestart(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(const Session session, ReadSession(flags, 1'000'000, 0));
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  const pid_t child = ::fork();
  if (child < 0) return Status::Unavailable("cannot fork");
  if (child == 0) FillAndVanish(session);
  int outcome = 0;
  if (::waitpid(child, &outcome, 0) != child || outcome != 0) {
    return Status::Internal("the filling process failed");
  }
  const auto journalled_bytes = static_cast<double>(JournalledBytes(session.store.data_dir));
  const double start_us = NowUs();
  const double start_cpu_us = FactsOf(0).cpu_us;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  const double open_us = NowUs() - start_us;
  const double open_cpu_us = FactsOf(0).cpu_us - start_cpu_us;

  Workload load(&session.templates, session.load);  // the same traces again, to know what was sent
  Request request;
  uint64_t spans = 0;
  double bytes = 0;
  while (load.Next(&request)) {
    spans += request.span_count;
    bytes += static_cast<double>(request.otlp.size());
  }
  LARDER_RETURN_IF_ERROR(CheckTraces(load, store.get(), 1000));
  LARDER_RETURN_IF_ERROR(store->Settle());
  if (store->stats().stored_rows != spans) {
    return Status::DataLoss("acknowledged " + std::to_string(spans) + " spans, found " +
                            std::to_string(store->stats().stored_rows));
  }
  const double replayed = journalled_bytes * static_cast<double>(spans) / bytes;
  PrintTitle("restart after kill -9");
  PrintFigure("spans acknowledged and found again", static_cast<double>(spans), "");
  PrintFigure("of them in journals, about", replayed, "");
  PrintFigure("ready after", open_us / 1e6, "s", "goal <= 1 s and the replay");
  PrintFigure("  CPU of it", open_cpu_us / 1e6, "s");
  PrintFigure("replayed, if that were all of it", replayed * 1e6 / open_us, "spans/s",
              "goal >= 500,000");
  return Status::Ok();
}

}  // namespace larder::bench
