// Sealer: the thread that turns frozen generations into segments, one after the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/data_directory.h"
#include "storage/engine/shelf/disk_guard.h"
#include "storage/engine/shelf/generation.h"
#include "storage/engine/shelf/shelf.h"

namespace larder {

// Borrowed; all must outlive the sealer.
struct SealerParts {
  FileSystem* file_system = nullptr;
  DataDirectory* directory = nullptr;
  DiskGuard* disk = nullptr;
  Shelf* shelf = nullptr;
  ViewKeeper* views = nullptr;
  StoreCounters* counters = nullptr;
};

// Thread-safe. A seal that fails is tried again until it succeeds: the spans stay in memory and in
// the journal, and the committer is held back.
class Sealer {
 public:
  explicit Sealer(const SealerParts& parts);
  // Tries what waits once more, then stops; what could not be sealed stays in its journal.
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  void Start();
  // Takes over a generation that gets no more spans.
  void Push(std::shared_ptr<Generation> generation);
  // True once fewer than `waiting_max` generations wait; false when `timeout` passed first.
  bool WaitForRoom(size_t waiting_max, std::chrono::milliseconds timeout);
  // Waits until all that waits now is sealed; the reason, when an attempt fails meanwhile.
  Status WaitUntilSealed();
  // Seals what waits on the calling thread. REQUIRES: not started.
  Status SealWaiting();
  // Forgets what waits, journals included: for a purge.
  void Discard();

  // Why the last attempt failed, OK when it did not; and how many have failed by now.
  Status last_failure();
  uint64_t failures();
  uint64_t waiting_bytes();

 private:
  void Run();
  // Seals the oldest and forgets it. True when there was one, whether or not it could be sealed.
  bool SealOldest(Status* status);
  Status Seal(const Generation& generation);
  void RemoveJournal(const Generation& generation) REQUIRES(seal_mu_);
  void RemoveLeftJournals() REQUIRES(seal_mu_);

  const SealerParts parts_;
  Mutex seal_mu_;  // held during one seal; taken before mu_
  std::vector<std::string> left_journals_ GUARDED_BY(seal_mu_);  // sealed, but not yet removed

  Mutex mu_;
  CondVar changed_;
  std::deque<std::shared_ptr<Generation>> waiting_ GUARDED_BY(mu_);
  Status last_failure_ GUARDED_BY(mu_);
  uint64_t failures_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
