// The catalog: which partitions and tenants there are and how far ids have been given out. Segments
// are not in it: their own headers say what they are (design: "segment headers are the truth"), so
// that nothing here can contradict them. CATALOG.md specifies the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/kv/kv_store.h"
#include "storage/model/ids.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

// Versions of everything in a data directory. It rises when something comes into the directory that
// an older program would take for waste or read wrongly, not before.
inline constexpr uint32_t kFormatVersionFirst = 1;
inline constexpr uint32_t kFormatVersionCold = 2;               // what stays of evicted partitions
inline constexpr uint32_t kFormatVersion = kFormatVersionCold;  // the newest that is understood

struct CatalogMeta {
  uint32_t format_version = kFormatVersionFirst;
  uint64_t next_id = 1;  // generations and segments from here on are free
  uint64_t next_partition = 1;
  uint64_t age_ns = 0;       // RetentionClock
  uint64_t age_unix_ns = 0;  // the wall clock when age_ns was written
  uint64_t store_id = 0;     // names the store in a cold tier; 0: it never had one
};

// Part of the format: never renumber.
enum class PartitionState : uint8_t {
  kOpen = 0,
  kClosed = 1,
  kUploading = 2,  // spans of it may be in the cold tier: from before the first is sent
  kUploaded = 3,   // all of them are
  kEvicted = 4,    // it lies in the tier; its family is gone, or goes
  kDropping = 5,   // its family goes; the record stays until it is gone
};

struct PartitionRecord {
  uint64_t id = 0;
  PartitionState state = PartitionState::kOpen;
  uint64_t opened_unix_ns = 0;
  uint64_t opened_age_ns = 0;  // by the RetentionClock
  uint64_t closed_age_ns = 0;  // 0: open
  bool is_archive = false;     // it never closes and never expires
  // Of the cold tier. Segments up to this id are there, every row confirmed but those of
  // keeps_rows.
  uint64_t uploaded_segment = 0;
  FiledTimes filed = {};
  // The local copy stays: the tier did not take some rows, or a page cannot be read.
  bool keeps_rows = false;
  // Where they are: ColdTier::identity. Empty: nowhere yet, or an older program wrote the record.
  std::string tier = {};
  // Of an evicted partition: a copy of it lies here again, in the family of this number; 0: none.
  uint64_t fetched_family = 0;
  uint64_t fetched_until_age_ns = 0;  // the copy goes when the RetentionClock is there
  uint64_t fetched_rows = 0;          // spans of the copy

  bool is_fetched() const { return state == PartitionState::kEvicted && fetched_family != 0; }
  void ForgetCopy() { fetched_family = fetched_until_age_ns = fetched_rows = 0; }
};

// Whether a cold tier may have spans of it.
bool MayLieInTier(const PartitionRecord& partition);

struct TenantRecord {
  TenantId id = 0;
  std::string name = {};
  // A purge: of generations below it no journal has anything to say of this tenant.
  uint64_t purged_before_id = 0;
  // Segments whose files go. From when this is saved they are gone for good.
  std::vector<uint64_t> going_segments = {};
};

struct CatalogContents {
  CatalogMeta meta;
  bool has_meta = false;
  std::vector<PartitionRecord> partitions;  // by id
  std::vector<TenantRecord> tenants;        // by id
  std::vector<std::string> faults;          // records that could not be read, by key
};

// "p0000000000000003": a partition's column family.
std::string PartitionFamilyName(uint64_t id);
bool ParsePartitionFamilyName(std::string_view name, uint64_t* id);
// "f0000000000000017": the family of a copy of an evicted partition. Each copy has a new number, of
// NewId: of one that went, queries may still hold the family.
std::string FetchedFamilyName(uint64_t id);
bool ParseFetchedFamilyName(std::string_view name, uint64_t* id);

// Thread-safe; `kv` must outlive it. Everything saved is durable when the call returns.
class Catalog {
 public:
  explicit Catalog(KvStore* kv) : kv_(kv) {}

  // Reads everything, and takes over what it says of ids. kFailedPrecondition: a newer version
  // wrote it. Damaged records are listed and left out.
  Result<CatalogContents> Load();
  // Ids below these are in use (found on disk, in case that the catalog lost its own record).
  void RaiseNextId(uint64_t id);
  void RaiseNextPartition(uint64_t id);

  uint32_t format_version();
  // Nothing to do for a version that it has, or has passed.
  Status RaiseFormat(uint32_t version);

  // Names this store in a cold tier: drawn at random when it is asked for the first time.
  Result<uint64_t> EnsureStoreId();
  uint64_t store_id();

  // An id that was never given out: for generations and segments. Written down ahead, many at once.
  Result<uint64_t> NewId();
  Result<uint64_t> NewPartitionId();
  Status SaveAge(uint64_t age_ns, uint64_t age_unix_ns);
  Status Save(const PartitionRecord& partition);
  Status Remove(uint64_t partition_id);
  Status Save(const TenantRecord& tenant);

 private:
  Status SaveMeta() REQUIRES(mu_);

  KvStore* const kv_;
  Mutex mu_;
  CatalogMeta meta_ GUARDED_BY(mu_);  // as saved, or about to be
  uint64_t next_id_ GUARDED_BY(mu_) = 1;
};

// The value of a record: also for tests of the page.
std::string EncodeRecord(const CatalogMeta& meta);
std::string EncodeRecord(const PartitionRecord& partition);
std::string EncodeRecord(const TenantRecord& tenant);
// False when the value is damaged.
bool DecodeRecord(std::string_view value, CatalogMeta* meta);
bool DecodeRecord(std::string_view value, PartitionRecord* partition);
bool DecodeRecord(std::string_view value, TenantRecord* tenant);

}  // namespace larder
