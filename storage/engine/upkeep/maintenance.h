// Maintenance: the thread that closes, merges and drops partitions, and prepares queries for what
// is new.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/ingest/sealer.h"
#include "storage/engine/shelf/disk_guard.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/view_keeper.h"
#include "storage/engine/upkeep/cold_policy.h"
#include "storage/engine/upkeep/partition_policy.h"
#include "storage/query/query_engine.h"

namespace larder {

struct MaintenanceOptions {
  uint64_t retention_ns = 0;  // in the cold tier too, when there is one
  bool has_tier = false;
  uint64_t evict_after_ns = 0;
  bool has_tenant_limits = false;
  uint64_t disk_bytes_max = 0;
};

// Borrowed; all must outlive it.
struct MaintenanceParts {
  Catalog* catalog = nullptr;
  Clock* clock = nullptr;
  RetentionClock* retention_clock = nullptr;
  FileSystem* file_system = nullptr;
  DataDirectory* directory = nullptr;
  DiskGuard* disk = nullptr;
  Shelf* shelf = nullptr;
  Tenants* tenants = nullptr;
  Sealer* sealer = nullptr;
  ViewKeeper* views = nullptr;
  QueryEngine* queries = nullptr;
  StoreCounters* counters = nullptr;
};

// Thread-safe.
class Maintenance {
 public:
  Maintenance(const MaintenanceOptions& options, const MaintenanceParts& parts);
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  void Start();
  // Works on the calling thread until nothing is left to do.
  Status Settle();
  // Runs `change` while nothing else changes partitions: what the mover finds out, and a
  // copy that was fetched.
  Status RunBetweenSteps(const std::function<Status()>& change);
  // Of what the disk cap bounds: partitions, what stays of evicted ones, journals.
  uint64_t UsedBytes() const;
  // Drops every partition. REQUIRES: no generation takes spans or waits.
  Status DropAll();
  // Takes everything of a tenant away, its archive too. REQUIRES: no generation holds spans of it.
  Status PurgeTenant(TenantId tenant);

 private:
  // One piece of work. `did` says whether there was one.
  Status Step(bool* did);
  LimitsOf Limits() const;
  Status TryMerge(const std::vector<PartitionStatus>& partitions, bool* did) REQUIRES(work_mu_);
  Status MergeSome(const SegmentPick& pick);
  Status KeepTenantLimits(const std::vector<PartitionStatus>& partitions, bool* did);
  Result<std::set<uint64_t>> JournalsThere();
  Status TryTendCold(const std::vector<PartitionStatus>& partitions, bool* did);
  Status TendCold(const std::vector<PartitionStatus>& partitions, bool* did);
  Status Evict(uint64_t partition);
  Status MakeSpace(const std::vector<PartitionStatus>& partitions, bool* did) REQUIRES(work_mu_);
  Status HelpFullDisk(const std::vector<PartitionStatus>& partitions, bool* did) REQUIRES(work_mu_);
  // For tenants with as many new segments.
  Status PrepareQueries(size_t segments_min) REQUIRES(work_mu_);
  void TryPrepareQueries(size_t segments_min) REQUIRES(work_mu_);
  void SaveAgeIfDue() REQUIRES(work_mu_);
  void Run();

  const MaintenanceOptions options_;
  const MaintenanceParts parts_;
  Mutex work_mu_;  // held during one piece of work
  uint64_t saved_age_ns_ GUARDED_BY(work_mu_) = 0;
  uint64_t helped_failures_ GUARDED_BY(work_mu_) = 0;  // of the sealer, that were answered

  uint64_t prepared_at_ns_ GUARDED_BY(work_mu_) = 0;  // monotonic
  int failed_evictions_ GUARDED_BY(work_mu_) = 0;     // in a row, under the disk cap
  uint64_t merge_from_ns_ GUARDED_BY(work_mu_) = 0;   // monotonic; the last one failed
  std::atomic<bool> cancelled_{false};

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
