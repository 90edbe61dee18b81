// How files leave the shelf before their partition does.
#include <algorithm>

#include "storage/base/crash_point.h"
#include "storage/engine/shelf/shelf.h"
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

std::vector<uint64_t> Shelf::GoingIds(const std::vector<SegmentPick>& picks) {
  std::vector<uint64_t> ids;
  for (const SegmentPick& pick : picks) {
    ids.insert(ids.end(), pick.segment_ids.begin(), pick.segment_ids.end());
    for (const uint64_t id : pick.segment_ids) {
      const StoredSegment& segment = partitions_.at(pick.partition).segments.at(id);
      // Their files are there until the last query ends, and nothing else will name them.
      const std::vector<uint64_t> replaced = RetiredAmong(segment.info.identity);
      ids.insert(ids.end(), replaced.begin(), replaced.end());
    }
  }
  return ids;
}

void Shelf::Hide(const SegmentPick& pick) {
  Partition& it = partitions_.at(pick.partition);
  const std::set<uint64_t> going(pick.segment_ids.begin(), pick.segment_ids.end());
  parts_.views->ReplaceSegments(pick.tenant, pick.segment_ids, {});
  for (const uint64_t id : pick.segment_ids) {
    const auto segment = it.segments.find(id);
    it.rows -= segment->second.info.row_count;
    it.bytes -= segment->second.file_bytes;
    Retire(pick.partition, it.family, segment->second);
    it.segments.erase(segment);
  }
  const size_t indexes = it.indexes.size();
  for (auto index = it.indexes.begin(); index != it.indexes.end();) {
    const std::vector<uint64_t>& covered = index->second.index->info().segment_ids;
    const bool stays = std::none_of(covered.begin(), covered.end(),
                                    [&going](uint64_t id) { return going.contains(id); });
    if (!stays) {
      it.bytes -= index->second.file_bytes;
      Retire(pick.partition, it.family, index->second);
    }
    index = stays ? std::next(index) : it.indexes.erase(index);
  }
  if (it.indexes.size() < indexes) ShowIndexes(it);
  const bool is_last =
      std::none_of(it.segments.begin(), it.segments.end(),
                   [&pick](const auto& entry) { return entry.second.entry.tenant == pick.tenant; });
  if (is_last) ForgetTenant(it, pick.tenant);
}

Status Shelf::RemoveSegments(const std::vector<SegmentPick>& picks) {
  if (picks.empty()) return Status::Ok();
  std::vector<uint64_t> ids;
  {
    MutexLock lock(mu_);
    ids = GoingIds(picks);
  }
  LARDER_CRASH_POINT("remove.begin");
  LARDER_RETURN_IF_ERROR(parts_.tenants->MarkGoing(picks.front().tenant, ids));
  LARDER_CRASH_POINT("remove.marked");
  MutexLock lock(mu_);
  for (const SegmentPick& pick : picks) Hide(pick);
  return Status::Ok();
}

std::vector<SegmentPick> Shelf::PicksOf(TenantId owner) {
  std::vector<SegmentPick> picks;
  for (const auto& [id, partition] : partitions_) {
    std::map<TenantId, SegmentPick> by_tenant;
    for (const auto& [segment_id, segment] : partition.segments) {
      const TenantId tenant = segment.entry.tenant;
      if (OwnerOf(tenant) == owner) by_tenant[tenant].segment_ids.push_back(segment_id);
    }
    for (auto& [tenant, pick] : by_tenant) {
      pick.partition = id;
      pick.tenant = tenant;
      picks.push_back(std::move(pick));
    }
  }
  return picks;
}

Status Shelf::PurgeTenant(TenantId owner, uint64_t before_id) {
  const auto is_owners = [owner](const Retired& it) { return OwnerOf(it.tenant) == owner; };
  std::vector<SegmentPick> picks;
  std::vector<uint64_t> ids;
  std::vector<std::shared_ptr<KvFamily>> families;
  std::vector<StoredColdPart> cold;
  {
    MutexLock lock(mu_);
    picks = PicksOf(owner);
    ids = GoingIds(picks);
    for (const Retired& it : retired_) {
      if (is_owners(it)) ids.push_back(it.shelf_id);
    }
    for (const auto& [id, partition] : partitions_) {
      for (const auto& [tenant, part] : partition.cold) {
        if (OwnerOf(tenant) == owner) ids.push_back(part.part_id);
      }
    }
    for (const auto& [id, partition] : partitions_) {
      if (partition.family != nullptr) families.push_back(partition.family);
    }
  }
  LARDER_CRASH_POINT("purge.begin");
  LARDER_RETURN_IF_ERROR(parts_.tenants->MarkPurged(owner, before_id, ids));
  LARDER_CRASH_POINT("purge.marked");
  {
    MutexLock lock(mu_);
    for (const SegmentPick& pick : picks) Hide(pick);
    cold = HideCold(owner);
  }
  for (const StoredColdPart& part : cold) {
    LARDER_RETURN_IF_ERROR(cold_shelf_.Delete(part.tenant, part));
  }
  for (const auto& family : families) {
    for (const TenantId tenant : {owner, ArchiveOf(owner)}) {
      const std::string prefix = TenantPrefix(tenant);
      LARDER_RETURN_IF_ERROR(parts_.kv->DeleteFiles(*family, prefix, PrefixEnd(prefix)));
    }
    LARDER_CRASH_POINT("purge.deleted");
  }
  {
    MutexLock lock(mu_);
    std::erase_if(retired_, is_owners);
  }
  return parts_.tenants->ForgetGoing(owner);
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
    bool is_last = false;  // of its tenant
    {
      MutexLock lock(mu_);
      retired_.erase(retired_.begin());
      is_last = std::none_of(retired_.begin(), retired_.end(), [&next](const Retired& it) {
        return OwnerOf(it.tenant) == OwnerOf(next.tenant);
      });
    }
    LARDER_CRASH_POINT("retired.deleted");
    if (is_last) LARDER_RETURN_IF_ERROR(parts_.tenants->ForgetGoing(next.tenant));
  }
}

}  // namespace larder
