// The current View: which heads and segments a query that begins now has to ask.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/span_table.h"
#include "storage/query/view.h"
#include "storage/segment/table/table_source.h"

namespace larder {

// Thread-safe. Each change is one step: no View shows half of it.
class ViewKeeper {
 public:
  // What a query sees now: every span that was published before the call.
  std::shared_ptr<const View> Current();

  void AddHead(uint64_t generation, uint64_t partition, TenantId tenant,
               std::shared_ptr<const SpanTable> table);
  // The generation's heads give way to their segments (none: they are forgotten).
  void ReplaceHeads(uint64_t generation, std::vector<SourceEntry> segments);
  // Segments of a partition give way to others.
  void ReplaceSegments(const std::vector<uint64_t>& removed_ids, std::vector<SourceEntry> added);
  void RemovePartition(uint64_t partition);
  void SetIndexes(uint64_t partition, std::vector<std::shared_ptr<const PartitionIndex>> indexes);

 private:
  struct Head {
    SourceEntry entry;  // its source as it was last taken
    std::shared_ptr<const SpanTable> table;
    std::shared_ptr<TableSnapshots> snapshots;
    uint32_t rows = 0;  // of that source
  };

  void AddSegments(std::vector<SourceEntry> segments) REQUIRES(mu_);

  Mutex mu_;
  std::vector<SourceEntry> segments_ GUARDED_BY(mu_);  // by arrival, oldest first
  std::vector<Head> heads_ GUARDED_BY(mu_);            // by generation
  std::map<uint64_t, std::vector<std::shared_ptr<const PartitionIndex>>> indexes_ GUARDED_BY(mu_);
  uint64_t version_ GUARDED_BY(mu_) = 0;
  std::shared_ptr<const View> current_ GUARDED_BY(mu_);  // null: to be made
};

}  // namespace larder
