// The tenants of a store: their names, numbers and limits, and what of them is going.
//
// A name gets its number when it first writes, before its first span is acknowledged, and keeps it
// for ever: numbers lead keys and journal records. A number that is seen on disk is never given to
// another name, whatever the catalog lost.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/catalog.h"

namespace larder {

inline constexpr size_t kTenantNameBytesMax = 256;

struct TenantLimits {
  uint64_t retention_ms = 0;    // 0: the store's
  uint64_t disk_bytes_max = 0;  // of its segments, the archive left out; 0: only the disk cap
};

struct TenantOptions {
  uint32_t tenants_max = 1000;
  TenantLimits each = {};  // of a tenant that is not among these
  // A limit of 0: as `each`.
  std::vector<std::pair<std::string, TenantLimits>> by_name = {};

  bool has_limits() const {
    return each.retention_ms != 0 || each.disk_bytes_max != 0 || !by_name.empty();
  }
};

// Thread-safe. `catalog` must outlive it.
class Tenants {
 public:
  Tenants(TenantOptions options, Catalog* catalog);

  // REQUIRES: once, before anything else.
  void Load(const std::vector<TenantRecord>& records);
  // This number is in use on disk, by a name or by one that was lost.
  void NoteUsed(TenantId tenant);

  // The tenant of that name, made when there is none. kInvalidArgument: an empty or too long name;
  // kFailedPrecondition: there are `tenants_max` already.
  Result<TenantId> Open(std::string_view name);
  // kNoTenant when nothing was ever written under that name.
  TenantId Find(std::string_view name);

  // By number, tenant 0 included. A tenant without a name is one whose record was lost.
  std::map<TenantId, std::string> Names();
  TenantLimits LimitsOf(TenantId tenant);
  // The longest retention that any tenant can have.
  static uint64_t LongestRetentionMs(const TenantOptions& options, uint64_t store_ms);

  // A start must not take these segments for live ones: durable when it returns.
  Status MarkGoing(TenantId tenant, const std::vector<uint64_t>& segment_ids);
  // The same for a purge: and journals of generations below `before_id` are not replayed.
  Status MarkPurged(TenantId tenant, uint64_t before_id, const std::vector<uint64_t>& segment_ids);
  // Their files are gone.
  Status ForgetGoing(TenantId tenant);
  bool IsGoing(TenantId tenant, uint64_t segment_id);
  bool IsPurged(TenantId tenant, uint64_t generation);

 private:
  Status Save(TenantRecord record) REQUIRES(mu_);
  TenantRecord RecordOf(TenantId tenant) REQUIRES(mu_);

  const TenantOptions options_;
  Catalog* const catalog_;
  Mutex mu_;                                                  // held while a record is saved
  std::map<TenantId, TenantRecord> records_ GUARDED_BY(mu_);  // owners only, no archives
  std::map<std::string, TenantId, std::less<>> by_name_ GUARDED_BY(mu_);
  TenantId next_ GUARDED_BY(mu_) = 1;
};

}  // namespace larder
