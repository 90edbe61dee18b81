// Which services call which, counted from the tables of the segments and the rows of the heads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/calls/dependency_memo.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Thread-safe; one query at a time is answered.
class DependencyTable {
 public:
  // Appends the calls whose child starts in the range, sorted by parent, child. How exact they are
  // is said in dependency_memo.h.
  Status Count(const View& view, TenantId tenant, TimeRange child_start, QueryContext* context,
               std::vector<Dependency>* dependencies);
  uint64_t memory_bytes() const;

 private:
  mutable Mutex mu_;
  std::map<TenantId, DependencyMemo> memos_ GUARDED_BY(mu_);
};

}  // namespace larder
