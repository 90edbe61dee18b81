// How files leave the shelf before their partition does.
#include <algorithm>

#include "storage/base/crash_point.h"
#include "storage/engine/shelf.h"
#include "storage/kv/keys.h"

namespace larder {

Status Shelf::DeletePages(const KvFamily& family, TenantId tenant, uint64_t shelf_id) {
  const std::string prefix = SegmentPrefix(tenant, shelf_id);
  return parts_.kv->DeleteFiles(family, prefix, PrefixEnd(prefix));
}

void Shelf::Retire(uint64_t partition, const std::shared_ptr<KvFamily>& family,
                   const StoredSegment& segment) {
  retired_.push_back({.partition = partition,
                      .family = family,
                      .tenant = segment.entry.tenant,
                      .shelf_id = segment.entry.id,
                      .user = segment.entry.segment});
}

void Shelf::Retire(uint64_t partition, const std::shared_ptr<KvFamily>& family,
                   const StoredIndex& index) {
  const PartitionIndexInfo& info = index.index->info();
  retired_.push_back({.partition = partition,
                      .family = family,
                      .tenant = info.tenant,
                      .shelf_id = IndexShelfId(info.index_id),
                      .user = index.index});
}

std::vector<uint64_t> Shelf::RetiredAmong(const SegmentIdentity& identity) {
  std::vector<uint64_t> found;
  for (const uint64_t id : identity.replaces) {
    const bool is_retired = std::any_of(retired_.begin(), retired_.end(),
                                        [id](const Retired& it) { return it.shelf_id == id; });
    if (is_retired) found.push_back(id);
  }
  return found;
}

// In the order in which they were retired, one at a time: a segment that replaced others goes after
// them, or a start after a crash would take those for live.
Status Shelf::DeleteRetired(bool* did) {
  for (;;) {
    Retired next;
    {
      MutexLock lock(mu_);
      if (retired_.empty() || !retired_.front().user.expired()) return Status::Ok();
      next = retired_.front();
    }
    LARDER_CRASH_POINT("retired.delete");
    LARDER_RETURN_IF_ERROR(DeletePages(*next.family, next.tenant, next.shelf_id));
    *did = true;
    MutexLock lock(mu_);
    retired_.erase(retired_.begin());
  }
}

}  // namespace larder
