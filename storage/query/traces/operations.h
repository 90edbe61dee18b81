// The services and operations of a store, known at once: a segment's are read when a query first
// sees it, and counted, so that they can be taken back when it goes. Heads are asked each time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Thread-safe.
class OperationsTable {
 public:
  // Sorted by name.
  Result<std::vector<std::string>> Services(const View& view, TenantId tenant,
                                            QueryContext* context);
  // Sorted; kind -1: any.
  Result<std::vector<Operation>> Operations(const View& view, TenantId tenant,
                                            std::string_view service, int32_t kind,
                                            QueryContext* context);
  uint64_t memory_bytes() const;

 private:
  struct Key {
    std::string service;
    Operation operation;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Counts = std::map<Key, uint32_t>;  // in how many segments each operation is
  struct Tenant {
    Counts counts;
    // What each segment counted. It is kept so that a segment need not be, whose files would then
    // stay on disk.
    std::map<uint64_t, std::vector<Counts::iterator>> segments;
  };

  // Brings the tenant's counts to the segments of `view`.
  Status Follow(const View& view, TenantId tenant, QueryContext* context) REQUIRES(mu_);
  Status Count(const SourceEntry& entry, Tenant* counted, QueryContext* context) REQUIRES(mu_);
  // Forgets the segments that are not in `kept` (sorted).
  void Forget(const std::vector<uint64_t>& kept, Tenant* counted) REQUIRES(mu_);
  // Calls `visit` for every operation of the heads.
  static Status VisitHeads(const View& view, TenantId tenant, QueryContext* context,
                           const std::function<void(const ServiceOperation&)>& visit);

  mutable Mutex mu_;
  std::map<TenantId, Tenant> tenants_ GUARDED_BY(mu_);
  uint64_t memory_bytes_ GUARDED_BY(mu_) = 0;
};

}  // namespace larder
