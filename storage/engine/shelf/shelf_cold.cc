// How partitions leave the local disk, and what stays of them.
#include <algorithm>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf.h"

namespace larder {

Status Shelf::Evict(uint64_t partition, const CallsOfTenant& calls) {
  PartitionRecord record;
  std::shared_ptr<KvFamily> family;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return Status::Ok();
    record = found->second.record;
    family = found->second.family;
  }
  LARDER_CHECK(record.state == PartitionState::kUploaded);
  LARDER_CRASH_POINT("evict.begin");
  LARDER_ASSIGN_OR_RETURN(
      ColdParts cold, cold_shelf_.Write(record, SegmentsByArrival(partition), calls, &cancelled_));
  record.state = PartitionState::kEvicted;
  Status saved = parts_.catalog->Save(record);
  if (!saved.ok()) {
    // A start would take them away too.
    LARDER_RETURN_IF_ERROR(cold_shelf_.Delete(cold));
    return saved;
  }
  LARDER_CRASH_POINT("evict.saved");
  ShowCold(record, std::move(cold));
  parts_.counters->partitions_evicted.fetch_add(1);
  const Status dropped = parts_.kv->DropFamily(family);
  if (!dropped.ok()) {
    Log(LogLevel::kWarning, "the files of an evicted partition stay until the next start",
        {{"partition", partition}, {"reason", dropped.ToString()}});
  }
  LARDER_CRASH_POINT("evict.dropped");
  return Status::Ok();
}

// In the place of the local copy, if there is one.
void Shelf::ShowCold(const PartitionRecord& record, ColdParts cold) {
  Partition gone;  // its segments go outside of the lock: the last holder frees the files
  std::vector<SourceEntry> broken;
  for (const auto& [tenant, part] : cold) {
    if (part.entry.part == nullptr) broken.push_back(part.broken);
  }
  for (auto& [tenant, part] : cold) part.entry.scope.tier = record.tier;
  MutexLock lock(mu_);
  parts_.views->EvictPartition(record.id, ColdEntriesOf(cold));
  parts_.views->AddSegments(std::move(broken));
  std::erase_if(retired_, [&](const Retired& it) { return it.partition == record.id; });
  Partition& it = partitions_[record.id];
  gone = std::move(it);
  it = Partition();
  it.record = record;
  it.full = true;
  it.cold = std::move(cold);
}

Status Shelf::ForgetCold(uint64_t partition, TenantId tenant) {
  StoredColdPart part;
  bool is_last = false;
  {
    MutexLock lock(mu_);
    Partition& it = partitions_.at(partition);
    part = it.cold.at(tenant);
    is_last = it.cold.size() == 1;
  }
  parts_.views->RemoveCold(partition, tenant);
  LARDER_RETURN_IF_ERROR(cold_shelf_.Delete(tenant, part));
  LARDER_CRASH_POINT("cold.deleted");
  if (is_last) LARDER_RETURN_IF_ERROR(parts_.catalog->Remove(partition));
  MutexLock lock(mu_);
  if (part.entry.part != nullptr) forgotten_.push_back(part.entry.scope);
  partitions_.at(partition).cold.erase(tenant);
  if (is_last) partitions_.erase(partition);
  return Status::Ok();
}

void Shelf::Forget(const Partition& partition) {
  for (const ColdEntry& entry : ColdEntriesOf(partition.cold)) forgotten_.push_back(entry.scope);
  if (!partition.cold.empty()) return;
  std::set<TenantId> tenants;
  for (const auto& [id, segment] : partition.segments) tenants.insert(segment.entry.tenant);
  for (const TenantId tenant : tenants) ForgetTenant(partition, tenant);
}

void Shelf::ForgetTenant(const Partition& partition, TenantId tenant) {
  const PartitionRecord& record = partition.record;
  const bool was_uploaded = record.state == PartitionState::kDropping && !record.tier.empty();
  if (!MayLieInTier(record) && !was_uploaded) return;
  ColdScope scope;
  scope.store = parts_.catalog->store_id();
  scope.partition = partition.record.id;
  scope.tenant = tenant;
  scope.filed = partition.record.filed;
  scope.tier = partition.record.tier;
  forgotten_.push_back(std::move(scope));
}

std::vector<StoredColdPart> Shelf::HideCold(TenantId owner) {
  std::vector<StoredColdPart> hidden;
  for (auto& [id, partition] : partitions_) {
    for (auto it = partition.cold.begin(); it != partition.cold.end();) {
      const bool is_owners = OwnerOf(it->first) == owner;
      if (!is_owners) {
        ++it;
        continue;
      }
      parts_.views->RemoveCold(id, it->first);
      if (it->second.entry.part != nullptr) forgotten_.push_back(it->second.entry.scope);
      hidden.push_back(it->second);
      it = partition.cold.erase(it);
    }
  }
  return hidden;
}

std::optional<ColdScope> Shelf::NextForgotten() {
  MutexLock lock(mu_);
  if (forgotten_.empty()) return std::nullopt;
  return forgotten_.front();
}

void Shelf::PopForgotten() {
  MutexLock lock(mu_);
  forgotten_.pop_front();
}

void Shelf::DeferForgotten() {
  MutexLock lock(mu_);
  forgotten_.push_back(std::move(forgotten_.front()));
  forgotten_.pop_front();
}

ColdParts Shelf::ColdPartsOf(uint64_t partition) {
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? ColdParts() : found->second.cold;
}

uint64_t Shelf::cold_bytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [id, partition] : partitions_) {
    for (const auto& [tenant, part] : partition.cold) bytes += part.file_bytes;
  }
  return bytes;
}

void Shelf::AddCold(const Partition& partition, PartitionStatus* status) {
  for (const auto& [tenant, part] : partition.cold) {
    ColdStatus cold;
    cold.tenant = tenant;
    cold.local_bytes = part.file_bytes;
    if (part.entry.part != nullptr) {
      const ColdFacts& facts = part.entry.part->facts();
      cold.rows = facts.rows;
      cold.arrival_min_ns = facts.arrival_min_ns;
      cold.arrival_max_ns = facts.arrival_max_ns;
    }
    status->cold.push_back(cold);
  }
}

// ---- a start ----

// What stays of a partition counts when its record says that it is evicted, or when record and
// family are lost.
Status Shelf::LoadCold(const CatalogContents& contents) {
  std::shared_ptr<KvFamily> cold_family;
  std::map<uint64_t, std::shared_ptr<KvFamily>> families;
  for (const auto& family : parts_.kv->families()) {
    uint64_t id = 0;
    if (family->name() == kColdFamilyName) cold_family = family;
    if (ParsePartitionFamilyName(family->name(), &id)) families[id] = family;
  }
  if (cold_family == nullptr) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(auto loaded, cold_shelf_.Load(cold_family, !options_.read_only));
  std::map<uint64_t, PartitionRecord> records;
  for (const PartitionRecord& record : contents.partitions) records[record.id] = record;
  for (auto& [id, cold] : loaded) {
    const auto known = records.find(id);
    const bool is_evicted =
        known != records.end() && known->second.state == PartitionState::kEvicted;
    const bool is_lost = known == records.end() && !families.contains(id);
    if (is_evicted) {
      ShowCold(known->second, std::move(cold));
    } else if (is_lost && id != 0) {
      Log(LogLevel::kError, "an evicted partition is missing in the catalog and is taken back",
          {{"partition", id}});
      PartitionRecord adopted;
      adopted.id = id;
      adopted.state = PartitionState::kEvicted;
      adopted.opened_unix_ns = parts_.clock->NowUnixNanos();
      adopted.opened_age_ns = parts_.retention_clock->AgeNanos();
      adopted.closed_age_ns = adopted.opened_age_ns;
      if (!options_.read_only) LARDER_RETURN_IF_ERROR(parts_.catalog->Save(adopted));
      ShowCold(adopted, std::move(cold));
    } else if (is_lost) {
      // Nobody knows of which partition they are: said to every query, and left where they are.
      for (const auto& [tenant, part] : cold) parts_.views->AddSegments({part.broken});
    } else if (!options_.read_only) {
      LARDER_RETURN_IF_ERROR(cold_shelf_.Delete(cold));
    }
  }
  return Status::Ok();
}

}  // namespace larder
