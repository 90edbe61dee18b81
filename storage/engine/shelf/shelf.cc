#include "storage/engine/shelf/shelf.h"

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/broken_source.h"
#include "storage/engine/shelf/shelf_pages.h"

namespace larder {

Shelf::Shelf(const ShelfOptions& options, const ShelfParts& parts)
    : options_(options),
      parts_(parts),
      cold_shelf_({.kv = parts.kv,
                   .directory = parts.directory,
                   .catalog = parts.catalog,
                   .tenants = parts.tenants,
                   .cache = parts.cache}) {}

Shelf::~Shelf() = default;

Shelf::Partition* Shelf::Newest(bool is_archive) {
  for (auto it = partitions_.rbegin(); it != partitions_.rend(); ++it) {
    if (it->second.record.is_archive == is_archive) return &it->second;
  }
  return nullptr;
}

Result<uint64_t> Shelf::Join(bool is_archive) {
  const uint64_t age_ns = parts_.retention_clock->AgeNanos();
  {
    MutexLock lock(mu_);
    if (Partition* newest = Newest(is_archive); newest != nullptr) {
      if (!newest->full && !IsAged(*newest, age_ns)) {
        ++newest->generations;
        return newest->record.id;
      }
      newest->full = true;
    }
  }
  Partition partition;
  LARDER_ASSIGN_OR_RETURN(partition.record.id, parts_.catalog->NewPartitionId());
  partition.record.opened_age_ns = age_ns;
  partition.record.opened_unix_ns = parts_.clock->NowUnixNanos();
  partition.record.is_archive = is_archive;
  partition.generations = 1;
  const uint64_t id = partition.record.id;
  MutexLock lock(mu_);
  partitions_[id] = std::move(partition);
  return id;
}

void Shelf::Leave(uint64_t partition) {
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) --found->second.generations;
}

bool Shelf::AtBorder(uint64_t partition) {
  const uint64_t age_ns = parts_.retention_clock->AgeNanos();
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return true;
  Partition& it = found->second;
  if (IsAged(it, age_ns)) it.full = true;
  return it.full;
}

void Shelf::MarkAged() {
  const uint64_t age_ns = parts_.retention_clock->AgeNanos();
  MutexLock lock(mu_);
  Partition* newest = Newest(/*is_archive=*/false);
  if (newest != nullptr && IsAged(*newest, age_ns)) newest->full = true;
}

void Shelf::MarkFull(uint64_t partition) {
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.full = true;
}

Status Shelf::Close(uint64_t partition) {
  PartitionRecord record;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return Status::Ok();
    // One that never got a segment leaves no trace.
    if (found->second.family == nullptr) {
      partitions_.erase(found);
      return Status::Ok();
    }
    record = found->second.record;
  }
  LARDER_RETURN_IF_ERROR(IndexForClose(partition));
  record.state = PartitionState::kClosed;
  record.closed_age_ns = parts_.retention_clock->AgeNanos();
  LARDER_CRASH_POINT("close.begin");
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
  LARDER_CRASH_POINT("close.saved");
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.record = record;
  return Status::Ok();
}

Status Shelf::Drop(uint64_t partition) {
  PartitionRecord record;
  std::shared_ptr<KvFamily> family;
  ColdParts cold;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return Status::Ok();
    found->second.full = true;
    found->second.record.state = PartitionState::kDropping;
    record = found->second.record;
    family = found->second.family;
    cold = found->second.cold;
  }
  LARDER_CRASH_POINT("drop.begin");
  const bool is_recorded = family != nullptr || record.uploaded_segment > 0;
  if (is_recorded) {
    LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
    LARDER_CRASH_POINT("drop.marked");
  }
  parts_.views->RemovePartition(partition);
  {
    MutexLock lock(mu_);
    std::erase_if(retired_, [&](const Retired& it) { return it.partition == partition; });
  }
  if (family != nullptr) {
    LARDER_RETURN_IF_ERROR(parts_.kv->DropFamily(family));
    LARDER_CRASH_POINT("drop.dropped");
    family.reset();
  }
  LARDER_RETURN_IF_ERROR(cold_shelf_.Delete(cold));
  if (is_recorded) LARDER_RETURN_IF_ERROR(parts_.catalog->Remove(partition));
  parts_.counters->partitions_dropped.fetch_add(1);
  Partition gone;  // its segments go outside of the lock: the last holder frees the files
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return Status::Ok();
  gone = std::move(found->second);
  partitions_.erase(found);
  Forget(gone);
  return Status::Ok();
}

std::vector<PartitionStatus> Shelf::Partitions() {
  MutexLock lock(mu_);
  std::vector<PartitionStatus> all;
  for (const auto& [id, partition] : partitions_) {
    PartitionStatus status;
    status.record = partition.record;
    status.full = partition.full;
    status.generations = partition.generations;
    status.rows = partition.rows;
    status.bytes = partition.bytes;
    for (const auto& [segment_id, segment] : partition.segments) {
      const uint64_t arrival_ns = segment.info.identity.arrival_min_ns;
      if (arrival_ns != 0 && (status.arrival_min_ns == 0 || arrival_ns < status.arrival_min_ns)) {
        status.arrival_min_ns = arrival_ns;
      }
      status.segments.push_back(segment);
    }
    for (const auto& [index_id, stored] : partition.indexes) {
      const std::vector<uint64_t>& ids = stored.index->info().segment_ids;
      status.indexed.insert(ids.begin(), ids.end());
      status.index_bytes[stored.index->info().tenant] += stored.file_bytes;
    }
    AddCold(partition, &status);
    all.push_back(std::move(status));
  }
  return all;
}

std::shared_ptr<KvFamily> Shelf::Family(uint64_t partition) {
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? nullptr : found->second.family;
}

uint64_t Shelf::stored_bytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [id, partition] : partitions_) {
    bytes += partition.bytes;
    for (const auto& [tenant, part] : partition.cold) bytes += part.file_bytes;
  }
  return bytes;
}

uint64_t Shelf::archive_bytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [id, partition] : partitions_) {
    if (partition.record.is_archive) bytes += partition.bytes;
  }
  return bytes;
}

StoredSegment Shelf::OpenSegment(uint64_t partition, const std::shared_ptr<KvFamily>& family,
                                 TenantId tenant, uint64_t segment_id) {
  StoredSegment stored;
  stored.entry.id = segment_id;
  stored.entry.partition = partition;
  stored.entry.tenant = tenant;
  stored.entry.name =
      "partition " + std::to_string(partition) + " segment " + std::to_string(segment_id);
  auto opened =
      Segment::Open(MakeShelfPageSource(parts_.kv, family, tenant, segment_id), parts_.cache);
  if (opened.ok()) {
    stored.entry.segment = *opened;
    stored.entry.source = *opened;
    stored.info = (*opened)->info();
    return stored;
  }
  const Status why = opened.status().With(stored.entry.name);
  Log(LogLevel::kError, "a segment cannot be read", {{"reason", why.ToString()}});
  stored.is_broken = true;
  stored.entry.source = MakeBrokenSource(why);
  stored.info.identity.segment_id = segment_id;
  stored.info.identity.tenant = tenant;
  return stored;
}

void Shelf::AddToPartition(Partition* partition, StoredSegment segment) {
  partition->rows += segment.info.row_count;
  partition->bytes += segment.file_bytes;
  const bool is_large = partition->bytes >= options_.partition_bytes_max ||
                        partition->rows >= options_.partition_rows_max;
  if (is_large && !partition->record.is_archive) partition->full = true;
  const uint64_t id = segment.entry.id;
  partition->segments[id] = std::move(segment);
}

std::vector<SourceEntry> EntriesOf(const std::vector<StoredSegment>& segments) {
  std::vector<SourceEntry> entries;
  for (const StoredSegment& segment : segments) entries.push_back(segment.entry);
  return entries;
}

}  // namespace larder
