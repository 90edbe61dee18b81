// Copies of evicted partitions that were fetched from the cold tier. A copy is a cache: the
// partition stays evicted, and what stays of it stays, so that the copy can go at any time.
#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/shelf_copy.h"
#include "storage/query/cold/cold_part.h"

namespace larder {
namespace {

std::set<uint64_t> PartIds(const ColdParts& cold) {
  std::set<uint64_t> ids;
  for (const auto& [tenant, part] : cold) ids.insert(part.part_id);
  return ids;
}

}  // namespace

void Shelf::ShowCopy(const Partition& partition) {
  std::vector<SourceEntry> segments;
  for (const auto& [id, segment] : partition.segments) segments.push_back(segment.entry);
  ViewKeeper::Indexes indexes;
  for (const auto& [id, stored] : partition.indexes) indexes.push_back(stored.index);
  parts_.views->ShowFetched(partition.record.id, std::move(segments), indexes);
}

Result<std::shared_ptr<Shelf::Copy>> Shelf::BeginCopy(uint64_t partition) {
  auto copy = std::make_shared<Copy>();
  copy->partition = partition;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    const bool is_evicted = found != partitions_.end() &&
                            found->second.record.state == PartitionState::kEvicted &&
                            !found->second.record.is_fetched();
    if (!is_evicted) {
      return Status::NotFound("partition " + std::to_string(partition) +
                              " lies no longer in the cold tier alone");
    }
    copy->cold = found->second.cold;
  }
  LARDER_CRASH_POINT("fetch.begin");
  LARDER_ASSIGN_OR_RETURN(copy->family_id, parts_.catalog->NewId());
  LARDER_ASSIGN_OR_RETURN(copy->family,
                          parts_.kv->CreateFamily(FetchedFamilyName(copy->family_id)));
  LARDER_CRASH_POINT("fetch.created");
  return copy;
}

Result<uint64_t> Shelf::AddToCopy(Copy* copy, const ColdPart& part, const SpanTable& table) {
  const ColdFacts& facts = part.facts();
  SegmentIdentity identity;
  LARDER_ASSIGN_OR_RETURN(identity.segment_id, parts_.catalog->NewId());
  identity.tenant = facts.tenant;
  identity.arrival_min_ns = facts.arrival_min_ns;
  identity.arrival_max_ns = facts.arrival_max_ns;
  std::vector<NewSegment> segments;
  LARDER_ASSIGN_OR_RETURN(auto segment, WriteOne(*copy->family, table, identity, true));
  segments.push_back(std::move(segment));
  LARDER_CRASH_POINT("fetch.written");
  LARDER_ASSIGN_OR_RETURN(auto stored, Ingest(copy->partition, copy->family, std::move(segments)));
  const uint64_t rows = stored.front().info.row_count;
  copy->bytes += stored.front().file_bytes;
  copy->rows += rows;
  copy->segments.push_back(std::move(stored.front()));
  return rows;
}

Status Shelf::IndexCopy(Copy* copy) {
  std::map<TenantId, std::vector<SourceEntry>> by_tenant;
  for (const StoredSegment& segment : copy->segments) {
    by_tenant[segment.entry.tenant].push_back(segment.entry);
  }
  LARDER_ASSIGN_OR_RETURN(copy->indexes, MakeIndexes(copy->family, by_tenant));
  for (const auto& [id, index] : copy->indexes) copy->bytes += index.file_bytes;
  LARDER_CRASH_POINT("fetch.indexed");
  return Status::Ok();
}

Status Shelf::KeepCopy(Copy* copy, uint64_t until_age_ns) {
  PartitionRecord record;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(copy->partition);
    const bool is_as_it_was =
        found != partitions_.end() && found->second.record.state == PartitionState::kEvicted &&
        !found->second.record.is_fetched() && PartIds(found->second.cold) == PartIds(copy->cold);
    if (!is_as_it_was) {
      return Status(StatusCode::kAborted,
                    "partition " + std::to_string(copy->partition) +
                        " was purged, or reached its retention, while it was fetched");
    }
    record = found->second.record;
  }
  record.fetched_family = copy->family_id;
  record.fetched_until_age_ns = until_age_ns;
  record.fetched_rows = copy->rows;
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
  LARDER_CRASH_POINT("fetch.saved");
  MutexLock lock(mu_);
  Partition& it = partitions_.at(copy->partition);
  it.record = record;
  it.family = copy->family;
  it.rows = copy->rows;
  it.bytes = copy->bytes;
  it.indexes = std::move(copy->indexes);
  for (StoredSegment& segment : copy->segments) {
    const uint64_t id = segment.entry.id;
    it.segments[id] = std::move(segment);
  }
  ShowCopy(it);
  return Status::Ok();
}

void Shelf::DiscardCopy(const Copy& copy) {
  const Status dropped = parts_.kv->DropFamily(copy.family);
  if (dropped.ok()) return;
  Log(LogLevel::kWarning, "the files of an unfinished fetch stay until the next start",
      {{"partition", copy.partition}, {"reason", dropped.ToString()}});
}

Status Shelf::KeepCopyUntil(uint64_t partition, uint64_t until_age_ns) {
  std::optional<PartitionRecord> record = RecordOf(partition);
  if (!record.has_value() || !record->is_fetched()) return Status::Ok();
  record->fetched_until_age_ns = until_age_ns;
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(*record));
  MutexLock lock(mu_);
  partitions_.at(partition).record = *record;
  return Status::Ok();
}

Status Shelf::DropCopy(uint64_t partition) {
  std::optional<PartitionRecord> record = RecordOf(partition);
  if (!record.has_value() || !record->is_fetched()) return Status::Ok();
  record->ForgetCopy();
  LARDER_CRASH_POINT("uncopy.begin");
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(*record));
  LARDER_CRASH_POINT("uncopy.saved");
  Partition gone;  // its segments go outside of the lock: the last holder frees the files
  {
    MutexLock lock(mu_);
    Partition& it = partitions_.at(partition);
    parts_.views->HideFetched(partition);
    gone = std::move(it);
    it = Partition();
    it.record = *record;
    it.full = true;
    it.cold = std::move(gone.cold);
  }
  const Status dropped = parts_.kv->DropFamily(gone.family);
  if (!dropped.ok()) {
    Log(LogLevel::kWarning, "the files of a copy that went stay until the next start",
        {{"partition", partition}, {"reason", dropped.ToString()}});
  }
  LARDER_CRASH_POINT("uncopy.dropped");
  return Status::Ok();
}

// ---- a start ----

Status Shelf::ForgetCopy(PartitionRecord record) {
  record.ForgetCopy();
  if (!options_.read_only) LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
  MutexLock lock(mu_);
  const auto found = partitions_.find(record.id);
  if (found != partitions_.end()) found->second.record = record;
  return Status::Ok();
}

// A copy that is not whole goes, since the tier has the spans; unless what stayed of the partition
// is lost, and with it the way there.
Status Shelf::LoadCopy(const PartitionRecord& record, const std::shared_ptr<KvFamily>& family) {
  const std::vector<ShelfPlace> places = FindPlaces(*family);
  std::vector<StoredSegment> segments = OpenSegments(record.id, family, places);
  uint64_t rows = 0;
  bool is_whole = true;
  for (const StoredSegment& segment : segments) {
    rows += segment.info.row_count;
    is_whole = is_whole && !segment.is_broken;
  }
  is_whole = is_whole && rows == record.fetched_rows;
  if (!is_whole && RecordOf(record.id).has_value()) {
    Log(LogLevel::kWarning, "the copy of an evicted partition is not whole, and goes",
        {{"partition", record.id}, {"spans", rows}, {"expected", record.fetched_rows}});
    LARDER_RETURN_IF_ERROR(ForgetCopy(record));
    return options_.read_only ? Status::Ok() : parts_.kv->DropFamily(family);
  }
  std::vector<ShelfPlace> indexes;
  std::copy_if(places.begin(), places.end(), std::back_inserter(indexes),
               [](const ShelfPlace& place) { return place.id >= kIndexIdBit; });
  std::vector<SourceEntry> entries = EntriesOf(segments);
  MutexLock lock(mu_);
  Partition& it = partitions_[record.id];
  it.record = record;
  it.full = true;
  it.family = family;
  for (StoredSegment& segment : segments) AddToPartition(&it, std::move(segment));
  LARDER_RETURN_IF_ERROR(LoadIndexes(&it, indexes));
  parts_.views->ShowFetched(record.id, std::move(entries), {});
  return Status::Ok();
}

}  // namespace larder
