// Archiver: what comes in for an archive, on a thread of its own, since looking up what the archive
// has already may take as long as a query does. What is new goes on to the archive's committer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>

#include "storage/base/mutex.h"
#include "storage/engine/ingest/committer.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/view_keeper.h"
#include "storage/engine/store.h"
#include "storage/query/query_engine.h"
#include "storage/query/spans/known_spans.h"

namespace larder {

struct ArchiverOptions {
  uint64_t archive_bytes_max = 0;  // a fuller archive takes nothing new
  // Of all requests that wait or are at work; one alone may be larger.
  uint64_t held_bytes_max = 32ull << 20;
  AppendLimits append_limits;
};

// Borrowed; all must outlive the archiver.
struct ArchiverParts {
  QueryEngine* queries = nullptr;
  ViewKeeper* views = nullptr;
  Shelf* shelf = nullptr;
  Committer* committer = nullptr;  // of the archives
  StoreCounters* counters = nullptr;
};

// Thread-safe.
class Archiver {
 public:
  Archiver(const ArchiverOptions& options, const ArchiverParts& parts);
  // Hands on, or answers, what waits.
  ~Archiver();
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  // Spans that the archive has are accepted and not stored again. `done` as Store::WriteAsync;
  // at once when the request is refused because too much waits.
  void Submit(WriteRequest request, std::function<void(WriteResult)> done);

 private:
  struct Pending {
    WriteRequest request;
    std::function<void(WriteResult)> done;
  };

  void Run();
  // What is to be done with a request: answer it, or hand it on.
  std::function<void()> LookUp(Pending pending);
  // Puts the new spans in the place of the request.
  static void TakeOver(NewSpans fresh, Pending* pending);

  const ArchiverOptions options_;
  const ArchiverParts parts_;
  Mutex mu_;
  CondVar work_;
  std::deque<Pending> queue_ GUARDED_BY(mu_);
  uint64_t held_bytes_ GUARDED_BY(mu_) = 0;  // of the queue and of the request at work
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
