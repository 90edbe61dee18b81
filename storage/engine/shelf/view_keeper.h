// The current View: which heads and segments a query that begins now has to ask.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/table/span_table.h"
#include "storage/query/view.h"
#include "storage/segment/table/table_source.h"

namespace larder {

// Thread-safe. Each change is one step: no View shows half of it. Each tenant has a View of its
// own, so that a query neither sees nor pays for the others.
class ViewKeeper {
 public:
  // What a query of the tenant sees now: every span that was published before the call.
  std::shared_ptr<const View> Current(TenantId tenant);
  // Every tenant's, for what looks at the whole store. By tenant, and in each as in its own View.
  std::shared_ptr<const View> Everything();

  void AddHead(uint64_t generation, uint64_t partition, TenantId tenant,
               std::shared_ptr<const SpanTable> table);
  // The generation's heads give way to their segments (none: they are forgotten).
  void ReplaceHeads(uint64_t generation, std::vector<SourceEntry> segments);
  // Segments of one tenant give way to others.
  void ReplaceSegments(TenantId tenant, const std::vector<uint64_t>& removed_ids,
                       std::vector<SourceEntry> added);
  void AddSegments(std::vector<SourceEntry> segments);
  void RemovePartition(uint64_t partition);

  using Indexes = std::vector<std::shared_ptr<const PartitionIndex>>;
  // The partition's segments and indexes give way to what stays of it.
  void EvictPartition(uint64_t partition, const std::vector<ColdEntry>& cold);
  void RemoveCold(uint64_t partition, TenantId tenant);
  // An evicted partition's spans are here again, beside what stays of it, or no longer.
  void ShowFetched(uint64_t partition, std::vector<SourceEntry> segments, const Indexes& indexes);
  void HideFetched(uint64_t partition);
  // All indexes of a partition, of any tenants.
  void SetIndexes(uint64_t partition, const Indexes& indexes);

 private:
  struct Head {
    SourceEntry entry;  // its source as it was last taken
    std::shared_ptr<const SpanTable> table;
    std::shared_ptr<TableSnapshots> snapshots;
    uint32_t rows = 0;  // of that source
  };
  struct OfTenant {
    std::vector<SourceEntry> segments;  // by arrival, oldest first
    std::vector<Head> heads;            // by generation
    std::map<uint64_t, Indexes> indexes;
    std::map<uint64_t, ColdEntry> cold;   // by partition
    std::shared_ptr<const View> current;  // null: to be made

    void Refresh();
    void AddTo(View* view);
  };

  void Add(SourceEntry segment) REQUIRES(mu_);
  void AddIndexes(uint64_t partition, const Indexes& indexes) REQUIRES(mu_);
  void Remove(uint64_t partition) REQUIRES(mu_);
  void RemoveSegments(uint64_t partition) REQUIRES(mu_);
  void MarkFetched(uint64_t partition, bool is_fetched) REQUIRES(mu_);

  Mutex mu_;
  std::map<TenantId, OfTenant> tenants_ GUARDED_BY(mu_);
  uint64_t version_ GUARDED_BY(mu_) = 0;
};

}  // namespace larder
