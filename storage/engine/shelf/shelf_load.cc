// What a start finds on disk.
#include <algorithm>
#include <string>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/kv/keys.h"

namespace larder {
std::vector<Shelf::ShelfPlace> Shelf::FindPlaces(const KvFamily& family) {
  std::map<std::pair<TenantId, uint64_t>, uint64_t> found;
  for (const KvFileInfo& file : parts_.kv->Files(family)) {
    ShelfKey key;
    if (!DecodeShelfKey(file.smallest_key, &key)) continue;
    found[{key.tenant, key.segment_id}] += file.size_bytes;
  }
  std::vector<ShelfPlace> places;
  for (const auto& [where, bytes] : found) {
    places.push_back({.tenant = where.first, .id = where.second, .file_bytes = bytes});
  }
  return places;
}

Status Shelf::Load(const CatalogContents& contents) {
  for (const std::string& fault : contents.faults) {
    Log(LogLevel::kError, "a catalog record is damaged and left out", {{"record", fault}});
    parts_.counters->records_set_aside.fetch_add(1);
  }
  parts_.tenants->Load(contents.tenants);
  LARDER_RETURN_IF_ERROR(LoadCold(contents));
  LARDER_RETURN_IF_ERROR(LoadFamilies(contents));
  for (const TenantRecord& tenant : contents.tenants) {
    if (!options_.read_only) LARDER_RETURN_IF_ERROR(parts_.tenants->ForgetGoing(tenant.id));
  }
  uint64_t last_id = 0;
  uint64_t last_partition = 0;
  MutexLock lock(mu_);
  for (auto& [id, partition] : partitions_) {
    last_partition = std::max(last_partition, id);
    for (const auto& [segment_id, segment] : partition.segments) {
      last_id = std::max(last_id, segment_id);
    }
    for (const auto& [index_id, index] : partition.indexes) last_id = std::max(last_id, index_id);
    for (const auto& [tenant, part] : partition.cold) last_id = std::max(last_id, part.part_id);
    // Only the newest may still be open.
    if (&partition != Newest(partition.record.is_archive)) partition.full = true;
  }
  for (const uint64_t generation : sealed_generations_) last_id = std::max(last_id, generation);
  parts_.catalog->RaiseNextId(last_id + 1);
  parts_.catalog->RaiseNextPartition(last_partition + 1);
  return Status::Ok();
}

Status Shelf::LoadFamilies(const CatalogContents& contents) {
  std::map<uint64_t, PartitionRecord> records;
  std::map<uint64_t, PartitionRecord> fetched;  // by the family of the copy
  for (const PartitionRecord& record : contents.partitions) {
    records[record.id] = record;
    if (record.is_fetched()) fetched[record.fetched_family] = record;
  }
  for (const auto& family : parts_.kv->families()) {
    uint64_t id = 0;
    if (ParseFetchedFamilyName(family->name(), &id) && fetched.contains(id)) {
      LARDER_RETURN_IF_ERROR(LoadCopy(fetched[id], family));
      fetched.erase(id);
      continue;
    }
    const bool ours = ParsePartitionFamilyName(family->name(), &id);
    const auto record = records.find(id);
    const bool known = ours && record != records.end();
    if (family->name() == kColdFamilyName) continue;
    if (known && IsToLoad(&record->second)) {
      LARDER_RETURN_IF_ERROR(LoadPartition(record->second, family));
    } else if (!known && ours && !FindPlaces(*family).empty()) {
      Log(LogLevel::kError, "a partition is missing in the catalog and is taken back",
          {{"partition", id}});
      PartitionRecord adopted;
      adopted.id = id;
      adopted.is_archive = IsArchive(FindPlaces(*family).front().tenant);
      adopted.opened_unix_ns = parts_.clock->NowUnixNanos();
      adopted.opened_age_ns = parts_.retention_clock->AgeNanos();
      if (!options_.read_only) LARDER_RETURN_IF_ERROR(parts_.catalog->Save(adopted));
      LARDER_RETURN_IF_ERROR(LoadPartition(adopted, family));
    } else if (!options_.read_only) {
      LARDER_CRASH_POINT("start.drop_family");
      LARDER_RETURN_IF_ERROR(parts_.kv->DropFamily(family));
    }
  }
  for (const auto& [id, record] : fetched) LARDER_RETURN_IF_ERROR(ForgetCopy(record));
  if (options_.read_only) return Status::Ok();
  // Records without a family: it was never made, or went before its record did.
  for (const auto& [id, record] : records) {
    MutexLock lock(mu_);
    if (partitions_.count(id) > 0) continue;
    LARDER_CRASH_POINT("start.remove_record");
    LARDER_RETURN_IF_ERROR(parts_.catalog->Remove(id));
  }
  return Status::Ok();
}

// Of an evicted partition the family goes, when what stays of it is there.
bool Shelf::IsToLoad(PartitionRecord* record) {
  if (record->state == PartitionState::kDropping) return false;
  if (record->state != PartitionState::kEvicted) return true;
  MutexLock lock(mu_);
  if (partitions_.contains(record->id)) return false;
  record->state = PartitionState::kUploaded;
  return true;
}

Status Shelf::LoadPartition(const PartitionRecord& record, std::shared_ptr<KvFamily> family) {
  const std::vector<ShelfPlace> places = FindPlaces(*family);
  std::vector<StoredSegment> segments = OpenSegments(record.id, family, places);
  LARDER_RETURN_IF_ERROR(RemoveGoing(*family, &segments));
  LARDER_RETURN_IF_ERROR(RemoveReplaced(*family, &segments));
  Partition partition;
  partition.record = record;
  partition.family = std::move(family);
  partition.full = record.state != PartitionState::kOpen;
  const std::vector<SourceEntry> entries = EntriesOf(segments);
  MutexLock lock(mu_);
  for (StoredSegment& segment : segments) AddToPartition(&partition, std::move(segment));
  std::vector<ShelfPlace> indexes;
  for (const ShelfPlace& place : places) {
    if (place.id >= kIndexIdBit) indexes.push_back(place);
  }
  LARDER_RETURN_IF_ERROR(LoadIndexes(&partition, indexes));
  partitions_[record.id] = std::move(partition);
  parts_.views->AddSegments(entries);
  return Status::Ok();
}

std::vector<StoredSegment> Shelf::OpenSegments(uint64_t partition,
                                               const std::shared_ptr<KvFamily>& family,
                                               const std::vector<ShelfPlace>& places) {
  std::vector<StoredSegment> segments;
  for (const ShelfPlace& place : places) {
    if (place.id >= kIndexIdBit) continue;
    segments.push_back(OpenSegment(partition, family, place.tenant, place.id));
    segments.back().file_bytes = place.file_bytes;
    parts_.tenants->NoteUsed(place.tenant);
    const std::vector<uint64_t>& sealed = segments.back().info.identity.generations;
    sealed_generations_.insert(sealed.begin(), sealed.end());
  }
  return segments;
}

// A crash came between the tenant's record and the end of its files.
Status Shelf::RemoveGoing(const KvFamily& family, std::vector<StoredSegment>* segments) {
  std::vector<StoredSegment> kept;
  for (StoredSegment& segment : *segments) {
    if (!parts_.tenants->IsGoing(segment.entry.tenant, segment.entry.id)) {
      kept.push_back(std::move(segment));
    } else if (!options_.read_only) {
      LARDER_CRASH_POINT("start.delete_going");
      LARDER_RETURN_IF_ERROR(DeletePages(family, segment.entry.tenant, segment.entry.id));
    }
  }
  *segments = std::move(kept);
  return Status::Ok();
}

Status Shelf::RemoveReplaced(const KvFamily& family, std::vector<StoredSegment>* segments) {
  std::set<uint64_t> replaced;
  for (const StoredSegment& segment : *segments) {
    const std::vector<uint64_t>& ids = segment.info.identity.replaces;
    replaced.insert(ids.begin(), ids.end());
  }
  for (const StoredSegment& segment : *segments) {
    if (options_.read_only || replaced.count(segment.entry.id) == 0) continue;
    LARDER_CRASH_POINT("start.delete_replaced");
    LARDER_RETURN_IF_ERROR(DeletePages(family, segment.entry.tenant, segment.entry.id));
  }
  std::erase_if(*segments, [&replaced](const StoredSegment& segment) {
    return replaced.count(segment.entry.id) > 0;
  });
  return Status::Ok();
}

}  // namespace larder
