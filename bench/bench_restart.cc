#include <sys/wait.h>
#include <unistd.h>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"

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
  const double start_us = NowUs();
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  const double open_us = NowUs() - start_us;
  const StoreStats stats = store->stats();

  Workload load(&session.templates, session.load);  // the same traces again, to know what was sent
  Request request;
  uint64_t spans = 0;
  while (load.Next(&request)) spans += request.span_count;
  LARDER_RETURN_IF_ERROR(CheckTraces(load, store.get(), 1000));
  LARDER_RETURN_IF_ERROR(store->Settle());
  if (store->stats().stored_rows != spans) {
    return Status::DataLoss("acknowledged " + std::to_string(spans) + " spans, found " +
                            std::to_string(store->stats().stored_rows));
  }
  const double replayed = static_cast<double>(stats.head_rows);
  PrintTitle("restart after kill -9");
  PrintFigure("spans acknowledged and found again", static_cast<double>(spans), "");
  PrintFigure("ready after", open_us / 1e6, "s", "goal <= 1 s and the replay");
  PrintFigure("of them in journals", replayed, "spans");
  PrintFigure("replayed, if that were all of it", replayed * 1e6 / open_us, "spans/s",
              "goal >= 500,000");
  return Status::Ok();
}

}  // namespace larder::bench
