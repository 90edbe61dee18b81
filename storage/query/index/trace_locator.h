// Where the rows of a trace lie, over all sources of a tenant.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/facts/trace_place.h"
#include "storage/query/index/partition_index.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows all that it is given.
class TraceLocator {
 public:
  TraceLocator(const View& view, TenantId tenant, QueryContext* context);

  // Replaces `places` by those of the trace, in the order of View::entries; none when the trace is
  // unknown. A source that cannot be read is a gap.
  Status Locate(const TraceId& trace_id, std::vector<TracePlace>* places);

 private:
  struct Index {
    const PartitionIndex* index = nullptr;
    std::vector<uint32_t> entries;  // in the index's order
  };

  // Replaces candidates_ by the entries that may have the trace, ascending.
  void FindCandidates(const TraceId& trace_id);

  const View& view_;
  QueryContext* const context_;
  std::vector<Index> indexes_;
  std::vector<uint32_t> asked_one_by_one_;  // entries that no index covers
  std::vector<uint32_t> candidates_;
};

}  // namespace larder
