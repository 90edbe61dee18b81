// Committer: the one thread through which spans come in.
//
// It takes all waiting requests as a group: each is appended to the head (unpublished), the group
// is written to the journal as one frame and synced once, the rows are published, the callers
// answered. So a success is durable and visible, and there is no lock on the way. A group that
// fails is rolled back, its callers told to try again, and its generation ended: a journal is never
// trusted after a failed write.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/file_system.h"
#include "storage/base/mutex.h"
#include "storage/engine/ingest/duplicate_window.h"
#include "storage/engine/ingest/sealer.h"
#include "storage/engine/store.h"

namespace larder {

struct CommitterOptions {
  bool is_archive = false;  // of every tenant that it takes spans of
  bool sync = true;
  uint64_t head_bytes_max = 0;
  uint64_t head_idle_ns = 0;
  uint64_t request_bytes_max = 0;
  // Of all requests that wait or are at work; one alone may be larger.
  uint64_t held_bytes_max = 32ull << 20;
  AppendLimits append_limits;
};

// Borrowed; all must outlive the committer.
struct CommitterParts {
  FileSystem* file_system = nullptr;
  Clock* clock = nullptr;
  DataDirectory* directory = nullptr;
  DiskGuard* disk = nullptr;
  Catalog* catalog = nullptr;
  Shelf* shelf = nullptr;
  Sealer* sealer = nullptr;
  ViewKeeper* views = nullptr;
  StoreCounters* counters = nullptr;
  std::atomic<uint64_t>* head_bytes = nullptr;  // of the generation that takes spans
};

class Committer {
 public:
  Committer(const CommitterOptions& options, const CommitterParts& parts);
  // Answers what waits, then hands the last generation to the sealer.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // A request that a journal was found to hold: its retry will be recognised. REQUIRES: not
  // started.
  void Remember(TenantId tenant, std::string_view otlp, const AppendResult& result);
  void Start();

  // Thread-safe. `done` runs on the commit thread, or at once when the request is refused.
  void Submit(WriteRequest request, std::function<void(WriteResult)> done);
  // Thread-safe. Runs `operation` on the commit thread between two groups, the last generation
  // handed to the sealer, and waits for it.
  void RunBetweenGroups(const std::function<void()>& operation);
  // REQUIRES: inside of RunBetweenGroups.
  void ForgetDuplicates() { window_.Clear(); }
  void ForgetDuplicates(TenantId tenant) { window_.Clear(tenant); }

 private:
  struct Pending {
    WriteRequest request;
    std::function<void(WriteResult)> done;
    Hash128 identity;
    WriteResult result;
    bool in_journal = false;
    size_t same_as = SIZE_MAX;  // index of an equal request before it in the group
  };
  struct Operation {
    const std::function<void()>* run = nullptr;
    bool done = false;
  };

  void Run();
  // Waits for work. False when the committer stops.
  bool TakeGroup(std::vector<Pending>* group, std::vector<Operation*>* operations);
  void WaitForCompany() REQUIRES(mu_);
  void RunOperations(const std::vector<Operation*>& operations);

  void CommitGroup(std::vector<Pending>* group);
  // Appends requests from `first` on until the head is full; returns the end.
  size_t AppendSome(std::vector<Pending>* group, size_t first);
  bool AppendOne(std::vector<Pending>* group, size_t first, size_t index);
  Result<AppendResult> AppendToHead(const WriteRequest& request);
  Status WriteJournal(const std::vector<Pending>& group, size_t first, size_t end);
  void Settle(std::vector<Pending>* group, size_t first, size_t end, const Status& committed);
  void Answer(std::vector<Pending>* group);
  void LetGoOfRequests(std::vector<Pending>* group) EXCLUDES(mu_);

  Status EnsureGeneration();
  SpanTable* HeadOf(TenantId tenant);
  void EndGenerationIfDue();
  void EndGeneration();

  const CommitterOptions options_;
  const CommitterParts parts_;

  // Of the commit thread.
  DuplicateWindow window_;
  std::shared_ptr<Generation> generation_;
  std::vector<SpanTable*> touched_;  // heads with rows of the group that are not settled
  uint64_t arrival_ns_ = 0;          // of the group
  size_t last_group_size_ = 0;
  uint64_t last_commit_ns_ = 0;

  Mutex mu_;
  CondVar work_;
  CondVar operation_done_;
  std::deque<Pending> queue_ GUARDED_BY(mu_);
  uint64_t queue_bytes_ GUARDED_BY(mu_) = 0;
  uint64_t held_bytes_ GUARDED_BY(mu_) = 0;  // of the queue and of the group at work
  // A waiting commit thread is woken for no fewer: to wake it for each costs more than the queue.
  size_t wake_at_requests_ GUARDED_BY(mu_) = 1;
  std::deque<Operation*> operations_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
