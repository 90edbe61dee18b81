// Which services call which, counted from the tables of the segments and the rows of the heads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/calls/dependency_memo.h"
#include "storage/query/calls/head_calls.h"
#include "storage/query/cold/cold_part_format.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Thread-safe; one query at a time is answered. Each takes its View when its turn has come: on an
// older one than the last was answered on, the newest segments would seem to be gone, and
// everything would be counted anew.
class DependencyTable {
 public:
  // Appends the calls whose child starts in the range, sorted by parent, child. Exact over all that
  // the View holds: spans equal in every field count once, wherever they lie. Of evicted
  // partitions the calls count that their cold parts have, by whole minutes, fetched or not.
  Status Count(const ViewSource& views, TenantId tenant, TimeRange child_start,
               QueryContext* context, std::vector<Dependency>* dependencies);
  // Counts now the segments that the next Count would have to, if the tenant has `segments_min` of
  // them.
  Status Prepare(const ViewSource& views, TenantId tenant, size_t segments_min,
                 QueryContext* context);
  // What the partition is charged with (call_join.h), to be kept when it leaves the View.
  Result<std::vector<ColdCall>> CallsOfPartition(const ViewSource& views, TenantId tenant,
                                                 uint64_t partition, QueryContext* context);
  uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Tenant {
    DependencyMemo memo;
    // What the heads add, and what it was read from: the memo's version, each head and its rows.
    std::vector<HeadCall> head_calls;
    std::vector<std::pair<uint64_t, uint64_t>> head_state;
  };

  Status ReadHeads(const View& view, TenantId tenant, const std::vector<CallUnit>& units,
                   QueryContext* context, Tenant* known) REQUIRES(mu_);
  void CountMemory() REQUIRES(mu_);

  Mutex mu_;
  std::map<TenantId, Tenant> tenants_ GUARDED_BY(mu_);
  std::atomic<uint64_t> memory_bytes_{0};
};

}  // namespace larder
