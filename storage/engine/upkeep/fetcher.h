// Fetcher: brings partitions back from the cold tier, whole, as copies that are kept for a while.
//
// A copy is made out of sight, checked against what stayed of its partition, and then shown, with
// one write of the catalog. What a crash, a failure or a cancelled call leaves is not shown and
// goes; copies of other partitions that were finished stay.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/fetch.h"
#include "storage/engine/shelf/disk_guard.h"
#include "storage/engine/shelf/retention_clock.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/store_counters.h"
#include "storage/engine/upkeep/maintenance.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

struct FetcherOptions {
  uint64_t memory_bytes_max = 0;  // of spans on their way; the writing of a segment takes as much
  uint64_t disk_bytes_max = 0;
};

// Borrowed; all must outlive it.
struct FetcherParts {
  ColdTier* tier = nullptr;  // null: every fetch is refused
  Shelf* shelf = nullptr;
  Maintenance* maintenance = nullptr;
  RetentionClock* retention_clock = nullptr;
  Clock* clock = nullptr;
  DiskGuard* disk = nullptr;
  StoreCounters* counters = nullptr;
};

// Thread-safe; one fetch at a time.
class Fetcher {
 public:
  Fetcher(const FetcherOptions& options, const FetcherParts& parts)
      : options_(options), parts_(parts) {}

  // As Store::PlanFetch and Store::Fetch say.
  Result<FetchProgress> Plan(const FetchRequest& request);
  Result<FetchProgress> Run(const FetchRequest& request, const FetchWatch& watch);

 private:
  struct Work {
    std::vector<uint64_t> to_fetch;
    std::vector<uint64_t> here;  // copies that are there
    FetchProgress progress;
  };
  struct Job {
    const FetchRequest& request;
    const FetchWatch& watch;
    FetchProgress progress;
  };

  Result<Work> FindWork(const FetchRequest& request);
  Result<FetchProgress> RunAlone(const FetchRequest& request, const FetchWatch& watch);
  Status FetchPartition(uint64_t partition, Job* job);
  Status Fill(Shelf::Copy* copy, Job* job);
  Status FillPart(Shelf::Copy* copy, const ColdEntry& part, Job* job);
  // That `bytes` more fit.
  Status CheckRoom(uint64_t bytes) const;
  QueryLimits LimitsOf(const Job& job) const;
  uint64_t UntilAge(const FetchRequest& request) const;

  const FetcherOptions options_;
  const FetcherParts parts_;
  Mutex mu_;
  CondVar ended_;
  bool is_running_ GUARDED_BY(mu_) = false;
};

}  // namespace larder
