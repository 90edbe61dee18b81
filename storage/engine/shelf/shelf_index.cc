// The partition's own indexes over several of its segments.
#include <algorithm>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/shelf_pages.h"
#include "storage/kv/keys.h"

namespace larder {

uint64_t IndexShelfId(uint64_t index_id) { return kIndexIdBit | index_id; }

Result<Shelf::StoredIndex> Shelf::MakeIndex(const std::shared_ptr<KvFamily>& family,
                                            TenantId tenant,
                                            const std::vector<SourceEntry>& segments) {
  PartitionIndexOptions options;
  options.tenant = tenant;
  options.cancelled = &cancelled_;
  LARDER_ASSIGN_OR_RETURN(options.index_id, parts_.catalog->NewId());
  const uint64_t shelf_id = IndexShelfId(options.index_id);
  LARDER_ASSIGN_OR_RETURN(auto file, parts_.kv->NewFile(*family));
  ShelfPageSink sink(tenant, shelf_id, file.get());
  LARDER_ASSIGN_OR_RETURN(const auto info, WritePartitionIndex(segments, options, &sink));
  LARDER_RETURN_IF_ERROR(file->Finish());
  StoredIndex stored;
  stored.file_bytes = file->size_bytes();
  std::vector<std::unique_ptr<KvFileWriter>> files;
  files.push_back(std::move(file));
  LARDER_CRASH_POINT("index.written");
  LARDER_RETURN_IF_ERROR(parts_.kv->Ingest(*family, std::move(files)));
  LARDER_CRASH_POINT("index.ingested");
  parts_.counters->index_bytes_written.fetch_add(stored.file_bytes);
  LARDER_ASSIGN_OR_RETURN(
      stored.index,
      PartitionIndex::Open(MakeShelfPageSource(parts_.kv, family, tenant, shelf_id), parts_.cache));
  return stored;
}

Status Shelf::IndexGroup(uint64_t partition, TenantId tenant,
                         const std::vector<uint64_t>& segment_ids) {
  std::shared_ptr<KvFamily> family;
  std::vector<SourceEntry> entries;
  {
    MutexLock lock(mu_);
    const Partition& it = partitions_[partition];
    family = it.family;
    for (const uint64_t id : segment_ids) entries.push_back(it.segments.at(id).entry);
  }
  Result<StoredIndex> index = MakeIndex(family, tenant, entries);
  if (index.status().code() == StatusCode::kDataLoss) {
    SetApart(partition, segment_ids, index.status());
    return Status::Ok();
  }
  LARDER_ASSIGN_OR_RETURN(StoredIndex made, std::move(index));
  MutexLock lock(mu_);
  Partition& it = partitions_[partition];
  const uint64_t index_id = made.index->info().index_id;
  it.bytes += made.file_bytes;
  it.indexes[index_id] = std::move(made);
  ShowIndexes(it);
  return Status::Ok();
}

void Shelf::ShowIndexes(const Partition& partition) {
  ViewKeeper::Indexes indexes;
  for (const auto& [id, stored] : partition.indexes) indexes.push_back(stored.index);
  parts_.views->SetIndexes(partition.record.id, indexes);
}

std::map<TenantId, std::vector<SourceEntry>> Shelf::SegmentsByArrival(uint64_t partition) {
  std::vector<const StoredSegment*> ordered;
  MutexLock lock(mu_);
  for (const auto& [id, segment] : partitions_[partition].segments) {
    if (!segment.is_broken) ordered.push_back(&segment);
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const StoredSegment* a, const StoredSegment* b) {
                     return a->info.identity.arrival_min_ns < b->info.identity.arrival_min_ns;
                   });
  std::map<TenantId, std::vector<SourceEntry>> by_tenant;
  for (const StoredSegment* segment : ordered) {
    by_tenant[segment->entry.tenant].push_back(segment->entry);
  }
  return by_tenant;
}

// The largest that are worth it.
Result<Shelf::StoredIndexes> Shelf::MakeIndexes(
    const std::shared_ptr<KvFamily>& family,
    const std::map<TenantId, std::vector<SourceEntry>>& by_tenant) {
  StoredIndexes made;
  for (const auto& [tenant, segments] : by_tenant) {
    for (const std::vector<SourceEntry>& run : SplitForIndexes(segments)) {
      if (run.size() < 2) continue;  // a segment has an index of its own
      auto index = MakeIndex(family, tenant, run);
      if (index.ok()) {
        made[index->index->info().index_id] = *index;
        continue;
      }
      if (index.status().code() != StatusCode::kDataLoss) return index.status();
      Log(LogLevel::kError, "segments that cannot be read stay without an index",
          {{"partition", run.front().partition}, {"reason", index.status().ToString()}});
    }
  }
  return made;
}

// The indexes of the closing partition's open days go.
Status Shelf::IndexForClose(uint64_t partition) {
  const std::shared_ptr<KvFamily> family = Family(partition);
  LARDER_ASSIGN_OR_RETURN(StoredIndexes made, MakeIndexes(family, SegmentsByArrival(partition)));
  MutexLock lock(mu_);
  Partition& it = partitions_[partition];
  for (const auto& [id, stored] : it.indexes) {
    it.bytes -= stored.file_bytes;
    Retire(partition, family, stored);
  }
  for (const auto& [id, stored] : made) it.bytes += stored.file_bytes;
  it.indexes = std::move(made);
  ShowIndexes(it);
  return Status::Ok();
}

// The newest index of a segment counts: it replaced the others, or was to. One that names a segment
// which is gone, or that cannot be read, is of no use: it goes, and its segments are asked one by
// one.
Status Shelf::LoadIndexes(Partition* partition, const std::vector<ShelfPlace>& places) {
  std::vector<ShelfPlace> newest_first = places;
  std::sort(newest_first.begin(), newest_first.end(),
            [](const ShelfPlace& a, const ShelfPlace& b) { return a.id > b.id; });
  std::set<uint64_t> covered;
  for (const ShelfPlace& place : newest_first) {
    auto opened = PartitionIndex::Open(
        MakeShelfPageSource(parts_.kv, partition->family, place.tenant, place.id), parts_.cache);
    bool useful = opened.ok();
    if (!useful) {
      Log(LogLevel::kError, "an index cannot be read and is left out",
          {{"partition", partition->record.id}, {"reason", opened.status().ToString()}});
    } else {
      const std::vector<uint64_t>& ids = (*opened)->info().segment_ids;
      useful = std::all_of(ids.begin(), ids.end(), [&](uint64_t id) {
        return partition->segments.count(id) > 0 && covered.count(id) == 0;
      });
    }
    if (!useful) {
      if (options_.read_only) continue;
      LARDER_RETURN_IF_ERROR(DeletePages(*partition->family, place.tenant, place.id));
      continue;
    }
    const PartitionIndexInfo& info = (*opened)->info();
    covered.insert(info.segment_ids.begin(), info.segment_ids.end());
    partition->bytes += place.file_bytes;
    partition->indexes[info.index_id] = {.index = *opened, .file_bytes = place.file_bytes};
  }
  ShowIndexes(*partition);
  return Status::Ok();
}

}  // namespace larder
