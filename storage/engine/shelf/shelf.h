// Shelf: the partitions on disk and the segments in them.
//
// Threads: any thread may ask; Seal is called by the sealer, everything that closes, merges or
// drops by the maintenance thread. Input and output happen outside of the lock.
//
// Invariants, in the order in which a crash may find them:
//   1. A segment's header lies in the same file as its pages: the segment is there whole or not.
//   2. A partition's record is written before its family is made; a family without a record and
//      with segments is taken back as a partition (the catalog was damaged), one without segments
//      is dropped.
//   3. A partition that goes is marked so (kDropping) before its family goes, and forgotten after.
//   4. A merged segment names those it replaces; at open the replaced ones are removed.
//   5. Segments of a tenant that are to go are named in its record first (tenants.h); a start
//      finishes what a crash interrupted, so they go together or not at all.
//   6. What stays of an evicted partition is written, as a whole, before its record says so, and
//   its
//      family goes after. Until the record says so the partition is as it was, and what was written
//      to stay goes.
//   7. A copy of an evicted partition is made in a family of its own and counts, as a whole, once
//   the record names that family; one that no record names goes at a start.
//   8. Files that nothing new will read are retired: they go once the last query that may read them
//      has ended. What named them as replaced stays, or hands the names on, until they are gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/catalog.h"
#include "storage/engine/catalog/data_directory.h"
#include "storage/engine/catalog/tenants.h"
#include "storage/engine/shelf/cold_shelf.h"
#include "storage/engine/shelf/generation.h"
#include "storage/engine/shelf/retention_clock.h"
#include "storage/engine/shelf/store_counters.h"
#include "storage/engine/shelf/view_keeper.h"
#include "storage/kv/kv_store.h"
#include "storage/query/index/partition_index.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/segment.h"

namespace larder {

struct ShelfOptions {
  uint64_t partition_ns = 0;
  uint64_t partition_bytes_max = 0;
  uint64_t partition_rows_max = 0;
  bool read_only = false;
};

// Borrowed by the shelf; all must outlive it.
struct ShelfParts {
  KvStore* kv = nullptr;
  DataDirectory* directory = nullptr;
  Catalog* catalog = nullptr;
  Tenants* tenants = nullptr;
  PageCache* cache = nullptr;
  ViewKeeper* views = nullptr;
  RetentionClock* retention_clock = nullptr;
  Clock* clock = nullptr;
  StoreCounters* counters = nullptr;
};

struct StoredSegment {
  SourceEntry entry;       // entry.segment is null when it is broken
  SegmentInfo info;        // identity only, when it is broken
  bool is_broken = false;  // it cannot be opened
  // It stays as it is while the store is open, merged and indexed with no other: a page of it
  // cannot be read, or it fills a merge alone.
  bool is_apart = false;
  uint64_t file_bytes = 0;
};

// Some segments of one partition and tenant.
struct SegmentPick {
  uint64_t partition = 0;
  TenantId tenant = 0;
  std::vector<uint64_t> segment_ids;  // by arrival
  uint64_t bytes = 0;
};

// What lies in the cold tier of one tenant and an evicted partition.
struct ColdStatus {
  TenantId tenant = 0;
  uint64_t rows = 0;
  uint64_t arrival_min_ns = 0;
  uint64_t arrival_max_ns = 0;
  uint64_t local_bytes = 0;  // of what stays here
};

// What policies decide on.
struct PartitionStatus {
  PartitionRecord record;
  bool full = false;         // takes no further generation
  uint32_t generations = 0;  // that will still seal into it
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t arrival_min_ns = 0;
  std::vector<StoredSegment> segments;  // by id
  std::set<uint64_t> indexed;           // segments that an index covers
  std::map<TenantId, uint64_t> index_bytes;
  std::vector<ColdStatus> cold;  // when it is evicted
};

// How far the upload of a partition is.
struct UploadProgress {
  uint64_t segment = 0;  // it and all of lower ids are in the tier
  FiledTimes filed;      // of that segment
  bool keeps_rows = false;
};

class Shelf {
 public:
  Shelf(const ShelfOptions& options, const ShelfParts& parts);
  ~Shelf();
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  // Takes over what is on disk: opens every segment, finishes what a crash interrupted, and shows
  // the rest to queries. Damage is logged and counted, and is no failure.
  Status Load(const CatalogContents& contents);
  // The generations that some header names: sealed, whatever their journals say.
  const std::set<uint64_t>& sealed_generations() const { return sealed_generations_; }

  // The partition for a new generation, which must be given back by Seal or Leave. The archive has
  // one of its own, which never is at its border.
  Result<uint64_t> Join(bool is_archive);
  void Leave(uint64_t partition);
  // True when a generation of that partition ought to end: by age, bytes or rows.
  bool AtBorder(uint64_t partition);

  // Writes the generation's segments, one per tenant, ingests them in one call and shows them in
  // the place of its heads.
  Status Seal(const Generation& generation);
  // One segment in the place of several of the same tenant and partition, duplicates left out: of
  // as many of them as fit into kMergeBytesMax, the first ones. It names those of their generations
  // that are among `journals`. Segments that cannot be merged are set apart.
  Status Merge(uint64_t partition, TenantId tenant, const std::vector<uint64_t>& segment_ids,
               const std::set<uint64_t>& journals);
  // The newest partition ends by time even when no span comes.
  void MarkAged();
  // No generation may join any more; OK at once for one that is full already.
  void MarkFull(uint64_t partition);
  // Writes the partition's indexes and says that it is closed. REQUIRES: it is full and no
  // generation is on its way.
  Status Close(uint64_t partition);
  // An index over some segments of an open partition. When one of them cannot be read they are set
  // apart, and have their own indexes only.
  Status IndexGroup(uint64_t partition, TenantId tenant, const std::vector<uint64_t>& segment_ids);
  // Work that takes long ends soon with kCancelled, from now on.
  void CancelWork() { cancelled_ = true; }

  // ---- the way to the cold tier (shelf_tier.cc) ----
  // From now on partitions go to that tier (ColdTier::identity). What was uploaded to another and
  // is still here is to be uploaded anew; what lies in another alone stays there. Partitions of
  // which it is not on record where they are are taken to be in this one.
  Status BindTier(const std::string& tier);
  std::string tier();  // empty: not bound yet
  // Before a segment is sent: from then on whatever takes spans of the partition away knows that
  // they may be in the tier. `is_there`: false when the segment went meanwhile. REQUIRES: bound.
  Status BeginUpload(uint64_t partition, uint64_t segment, bool* is_there);
  Status NoteProgress(uint64_t partition, const UploadProgress& progress);
  // All of its segments are in the tier.
  Status NoteUploaded(uint64_t partition);
  // It is never evicted from now on.
  Status KeepRows(uint64_t partition);

  // ---- what leaves the disk for it (shelf_cold.cc) ----
  // The local copy gives way to what stays of it. kDataLoss: not every page that it takes can be
  // read; the partition is as it was. REQUIRES: it is uploaded, every row.
  Status Evict(uint64_t partition, const CallsOfTenant& calls);
  // What stays of one tenant's spans of an evicted partition goes, and with it the way to them.
  Status ForgetCold(uint64_t partition, TenantId tenant);
  // What the tier need not keep any longer, one after the other; after a restart it is not known.
  std::optional<ColdScope> NextForgotten();
  void PopForgotten();
  void DeferForgotten();  // the first becomes the last
  uint64_t cold_bytes();  // of what stays here

  // ---- copies of evicted partitions (shelf_fetch.cc); what stays of them stays meanwhile ----
  struct Copy;
  // Begins a copy, out of sight. kNotFound: the partition is not evicted any more, or has one.
  Result<std::shared_ptr<Copy>> BeginCopy(uint64_t partition);
  // The spans of `table`, equal ones once, as one segment of the part's tenant. Returns how many.
  // REQUIRES: table.published_rows() > 0. One thread works on a copy.
  Result<uint64_t> AddToCopy(Copy* copy, const ColdPart& part, const SpanTable& table);
  // To be called when all segments are there.
  Status IndexCopy(Copy* copy);
  // Queries read the copy from now on. kAborted: what stays of the partition changed meanwhile.
  // REQUIRES: the maintenance thread changes nothing at the same time.
  Status KeepCopy(Copy* copy, uint64_t until_age_ns);
  // Takes one away that was not kept.
  void DiscardCopy(const Copy& copy);
  // Of a copy that is kept: how long from now on. OK when there is none.
  Status KeepCopyUntil(uint64_t partition, uint64_t until_age_ns);
  // The partition is as it was before it was fetched. OK when there is no copy.
  Status DropCopy(uint64_t partition);

  // The oldest goes first; queries that are on their way keep what they see.
  Status Drop(uint64_t partition);
  // Deletes the retired files that no query reads any more. `did` says whether there were any.
  Status DeleteRetired(bool* did);
  // Takes segments of one tenant away, its archive's among them perhaps: together or not at all,
  // whatever crashes. Queries that are on their way keep what they see.
  Status RemoveSegments(const std::vector<SegmentPick>& picks);
  // Everything of a tenant and its archive, whatever queries read; of journals of generations below
  // `before_id` nothing comes back. REQUIRES: no generation holds spans of the tenant.
  Status PurgeTenant(TenantId owner, uint64_t before_id);

  std::vector<PartitionStatus> Partitions();  // by id: oldest first
  std::shared_ptr<KvFamily> Family(uint64_t partition);
  ColdParts ColdPartsOf(uint64_t partition);  // empty: it is not evicted
  uint64_t stored_bytes();
  uint64_t archive_bytes();

 private:
  struct StoredIndex {
    std::shared_ptr<const PartitionIndex> index;
    uint64_t file_bytes = 0;
  };
  using StoredIndexes = std::map<uint64_t, StoredIndex>;
  struct Partition {
    PartitionRecord record;
    // Null: nothing was sealed into it yet, or it is evicted and has no copy.
    std::shared_ptr<KvFamily> family;
    bool full = false;
    uint32_t generations = 0;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    std::map<uint64_t, StoredSegment> segments;
    StoredIndexes indexes;
    ColdParts cold;  // when it is evicted
  };
  // Where the pages of a segment or an index lie, as the names of the files say.
  struct ShelfPlace {
    TenantId tenant = 0;
    uint64_t id = 0;  // of a segment, or IndexShelfId
    uint64_t file_bytes = 0;
  };
  struct NewSegment {
    std::unique_ptr<KvFileWriter> file;
    SegmentInfo info;
  };
  struct Retired {
    uint64_t partition = 0;
    std::shared_ptr<KvFamily> family;
    TenantId tenant = 0;
    uint64_t shelf_id = 0;
    std::weak_ptr<const void> user;  // the segment or index, held by queries
  };

  // shelf_load.cc
  Status LoadPartition(const PartitionRecord& record, std::shared_ptr<KvFamily> family);
  Status LoadFamilies(const CatalogContents& contents);
  bool IsToLoad(PartitionRecord* record);
  // What a family holds; nothing is read.
  std::vector<ShelfPlace> FindPlaces(const KvFamily& family);
  std::vector<StoredSegment> OpenSegments(uint64_t partition,
                                          const std::shared_ptr<KvFamily>& family,
                                          const std::vector<ShelfPlace>& places);
  Status RemoveGoing(const KvFamily& family, std::vector<StoredSegment>* segments);
  Status RemoveReplaced(const KvFamily& family, std::vector<StoredSegment>* segments);

  // shelf_tier.cc
  std::optional<PartitionRecord> RecordOf(uint64_t partition);
  Status SaveRecord(const PartitionRecord& record);
  Status StartAnew(PartitionRecord record, const std::string& tier);
  // To queries.
  void ShowTier(const PartitionRecord& record);

  // shelf_fetch.cc
  Status LoadCopy(const PartitionRecord& record, const std::shared_ptr<KvFamily>& family);
  Status ForgetCopy(PartitionRecord record);
  // To queries.
  void ShowCopy(const Partition& partition) REQUIRES(mu_);

  // shelf_cold.cc
  Status LoadCold(const CatalogContents& contents);
  void ShowCold(const PartitionRecord& record, ColdParts cold);
  // What the tier holds of it need not stay there.
  void Forget(const Partition& partition) REQUIRES(mu_);
  // The same of a tenant that has nothing left in it.
  void ForgetTenant(const Partition& partition, TenantId tenant) REQUIRES(mu_);
  void AddCold(const Partition& partition, PartitionStatus* status) REQUIRES(mu_);

  // shelf_write.cc
  Result<std::shared_ptr<KvFamily>> EnsureFamily(uint64_t partition);
  Result<NewSegment> WriteOne(const KvFamily& family, const SpanTable& table,
                              const SegmentIdentity& identity, bool drop_duplicates);
  Result<std::vector<StoredSegment>> Ingest(uint64_t partition,
                                            const std::shared_ptr<KvFamily>& family,
                                            std::vector<NewSegment> segments);
  Result<std::vector<uint64_t>> CopySegments(uint64_t partition,
                                             const std::vector<uint64_t>& segment_ids,
                                             SpanTable* table);
  SegmentIdentity IdentityOfMerged(uint64_t partition, const std::vector<uint64_t>& segment_ids,
                                   const std::set<uint64_t>& journals);
  SourceEntry EntryOf(uint64_t partition, uint64_t segment);
  void SetApart(uint64_t partition, const std::vector<uint64_t>& segment_ids, const Status& why);

  // shelf_index.cc
  Result<StoredIndex> MakeIndex(const std::shared_ptr<KvFamily>& family, TenantId tenant,
                                const std::vector<SourceEntry>& segments);
  Result<StoredIndexes> MakeIndexes(const std::shared_ptr<KvFamily>& family,
                                    const std::map<TenantId, std::vector<SourceEntry>>& by_tenant);
  std::map<TenantId, std::vector<SourceEntry>> SegmentsByArrival(uint64_t partition);
  Status IndexForClose(uint64_t partition);
  Status LoadIndexes(Partition* partition, const std::vector<ShelfPlace>& places);
  void ShowIndexes(const Partition& partition);

  // shelf_remove.cc
  Status DeletePages(const KvFamily& family, TenantId tenant, uint64_t shelf_id);
  void Retire(uint64_t partition, const std::shared_ptr<KvFamily>& family,
              const StoredSegment& segment) REQUIRES(mu_);
  void Retire(uint64_t partition, const std::shared_ptr<KvFamily>& family, const StoredIndex& index)
      REQUIRES(mu_);
  // The segments that `identity` replaced and whose files are still there.
  std::vector<uint64_t> RetiredAmong(const SegmentIdentity& identity) REQUIRES(mu_);
  // All ids that a start must not take for live once the picked ones are gone.
  std::vector<uint64_t> GoingIds(const std::vector<SegmentPick>& picks) REQUIRES(mu_);
  // Takes what stays of the tenant's evicted partitions out of the books and out of sight.
  std::vector<StoredColdPart> HideCold(TenantId owner) REQUIRES(mu_);
  // Every segment of the tenant and of its archive.
  std::vector<SegmentPick> PicksOf(TenantId owner) REQUIRES(mu_);
  // Out of the books, and out of sight of new queries.
  void Hide(const SegmentPick& pick) REQUIRES(mu_);

  StoredSegment OpenSegment(uint64_t partition, const std::shared_ptr<KvFamily>& family,
                            TenantId tenant, uint64_t segment_id);
  void AddToPartition(Partition* partition, StoredSegment segment) REQUIRES(mu_);
  // Null when there is none.
  Partition* Newest(bool is_archive) REQUIRES(mu_);
  bool IsAged(const Partition& partition, uint64_t age_ns) const {
    return !partition.record.is_archive &&
           age_ns - partition.record.opened_age_ns >= options_.partition_ns;
  }

  const ShelfOptions options_;
  const ShelfParts parts_;
  std::set<uint64_t> sealed_generations_;  // written by Load only
  ColdShelf cold_shelf_;
  std::atomic<bool> cancelled_ = false;

  Mutex mu_;
  std::map<uint64_t, Partition> partitions_ GUARDED_BY(mu_);
  std::vector<Retired> retired_ GUARDED_BY(mu_);  // in the order in which they go
  std::deque<ColdScope> forgotten_ GUARDED_BY(mu_);
  std::string tier_ GUARDED_BY(mu_);
};

// The number that leads an index's keys: above every segment's (storage/kv/KEYS.md).
inline constexpr uint64_t kIndexIdBit = 1ull << 63;
uint64_t IndexShelfId(uint64_t index_id);

std::vector<SourceEntry> EntriesOf(const std::vector<StoredSegment>& segments);

}  // namespace larder
