// Mover: the thread that brings aged partitions to the cold tier.
//
// It goes segment by segment, oldest partition first: uploads a segment's packs, waits until the
// tier confirms every row of each, and then writes into the catalog how far it is. So a crash at
// any point repeats a segment at most, with the same packs. When all segments are there the
// partition is uploaded; that its local copy may go is maintenance's to decide.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/tenants.h"
#include "storage/engine/shelf/retention_clock.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/store_counters.h"
#include "storage/engine/upkeep/maintenance.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

struct MoverOptions {
  uint64_t after_ns = 0;
  uint64_t bytes_per_second = 0;  // of spans, before the tier packs them; 0: no limit
  uint64_t confirm_ns_max = 0;    // what the tier does not confirm within it is sent again
  uint64_t store_id = 0;
};

// Borrowed; all must outlive it.
struct MoverParts {
  ColdTier* tier = nullptr;
  Shelf* shelf = nullptr;
  Maintenance* maintenance = nullptr;
  Tenants* tenants = nullptr;
  RetentionClock* retention_clock = nullptr;
  Clock* clock = nullptr;
  StoreCounters* counters = nullptr;
};

// Thread-safe.
class Mover {
 public:
  Mover(const MoverOptions& options, const MoverParts& parts);
  ~Mover();
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  // Finds out which tier it is, and holds what is on record of partitions against it. Fails while
  // the tier is away; then it is done by the first step that reaches it. Also before Start.
  Status Bind();
  void Start();
  // Works on the calling thread until nothing is due; `did` says whether anything was.
  Status Settle(bool* did);
  // Why the last attempt failed; empty when it did not.
  std::string last_error();

 private:
  struct SentPack {
    uint32_t first_row = 0;
    uint32_t row_count = 0;
    PackReceipt receipt;
  };

  // One segment, or one thing that the tier may forget.
  Status Step(bool* did);
  Status BindTier() REQUIRES(work_mu_);
  Status UploadSegment(const PartitionStatus& partition, const StoredSegment& segment);
  Status SendPacks(const ColdScope& scope, const Segment& segment, std::vector<SentPack>* sent);
  Result<SentPack> SendPack(const ColdScope& scope, const Segment& segment, uint32_t first_row);
  // Until the tier confirms every row; what it does not get is sent again.
  Status Confirm(const ColdScope& scope, const Segment& segment, std::vector<SentPack>* sent);
  Status RemoveForgotten(bool* did) REQUIRES(work_mu_);
  void NoteRemove(const Status& removed);
  ColdScope ScopeOf(uint64_t partition, TenantId tenant);
  QueryLimits Limits() const;
  // False when the mover is to end.
  bool Rest(uint64_t ns);
  void Run();
  void NoteOutcome(const Status& status);

  const MoverOptions options_;
  const MoverParts parts_;
  Mutex work_mu_;                                           // held during a step
  uint64_t remove_not_before_ns_ GUARDED_BY(work_mu_) = 0;  // monotonic
  std::atomic<bool> cancelled_{false};

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::string last_error_ GUARDED_BY(mu_);
  std::string remove_error_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace larder
