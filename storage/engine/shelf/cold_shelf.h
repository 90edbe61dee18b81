// ColdShelf: what stays local of evicted partitions, in the column family `cold`: a ColdPart for
// each tenant of each of them, as pages under the part's own number (storage/kv/KEYS.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/engine/catalog/catalog.h"
#include "storage/engine/catalog/data_directory.h"
#include "storage/engine/catalog/tenants.h"
#include "storage/kv/kv_store.h"
#include "storage/query/cold/cold_part.h"
#include "storage/query/view.h"
#include "storage/segment/page/page_cache.h"

namespace larder {

inline constexpr std::string_view kColdFamilyName = "cold";

// Borrowed; all must outlive it.
struct ColdShelfParts {
  KvStore* kv = nullptr;
  DataDirectory* directory = nullptr;
  Catalog* catalog = nullptr;
  Tenants* tenants = nullptr;
  PageCache* cache = nullptr;
};

struct StoredColdPart {
  ColdEntry entry;     // entry.part is null when it is broken
  SourceEntry broken;  // then: what tells queries so
  TenantId tenant = 0;
  uint64_t part_id = 0;
  uint64_t file_bytes = 0;
};

// Of one partition.
using ColdParts = std::map<TenantId, StoredColdPart>;
// Those that can be read.
std::vector<ColdEntry> ColdEntriesOf(const ColdParts& cold);
// The calls that a partition is charged with (storage/query/calls/call_join.h).
using CallsOfTenant = std::function<Result<std::vector<ColdCall>>(TenantId tenant)>;

// Not thread-safe: Load at the start, then the maintenance thread alone.
class ColdShelf {
 public:
  explicit ColdShelf(const ColdShelfParts& parts) : parts_(parts) {}

  // Opens every part of the family, by partition; damaged ones whose facts cannot be read are under
  // partition 0. With `may_write`, parts that are to go (Tenants::IsGoing) go, and the directory
  // says that there are such parts (kFormatVersionCold).
  Result<std::map<uint64_t, ColdParts>> Load(std::shared_ptr<KvFamily> family, bool may_write);

  // Writes what stays of a partition, all tenants' in one step. `segments`: by tenant, none broken.
  Result<ColdParts> Write(const PartitionRecord& record,
                          const std::map<TenantId, std::vector<SourceEntry>>& segments,
                          const CallsOfTenant& calls, const std::atomic<bool>* cancelled);
  Status Delete(const ColdParts& cold);
  Status Delete(TenantId tenant, const StoredColdPart& part);
  // What the family holds by its files; 0 when there is none.
  uint64_t size_bytes() const;

 private:
  Status EnsureFamily();
  StoredColdPart Open(TenantId tenant, uint64_t part_id);

  const ColdShelfParts parts_;
  std::shared_ptr<KvFamily> family_;  // null: nothing was evicted yet
};

}  // namespace larder
