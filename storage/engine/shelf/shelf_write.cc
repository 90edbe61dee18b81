// How segments come onto the shelf: by a seal or by a merge.
#include <algorithm>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/segment_rows.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/shelf_pages.h"
#include "storage/segment/segment_writer.h"

namespace larder {
namespace {

// In memory, so that a merge fits beside two heads, whatever its rows hold.
constexpr uint64_t kMergeBytesMax = 64 << 20;

}  // namespace

Result<std::shared_ptr<KvFamily>> Shelf::EnsureFamily(uint64_t partition) {
  PartitionRecord record;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return Status::Internal("the partition is gone");
    if (found->second.family != nullptr) return found->second.family;
    record = found->second.record;
  }
  LARDER_CRASH_POINT("partition.begin");
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
  LARDER_CRASH_POINT("partition.saved");
  LARDER_ASSIGN_OR_RETURN(auto family, parts_.kv->CreateFamily(PartitionFamilyName(partition)));
  LARDER_CRASH_POINT("partition.created");
  MutexLock lock(mu_);
  partitions_[partition].family = family;
  return family;
}

Result<Shelf::NewSegment> Shelf::WriteOne(const KvFamily& family, const SpanTable& table,
                                          const SegmentIdentity& identity, bool drop_duplicates) {
  NewSegment segment;
  LARDER_ASSIGN_OR_RETURN(segment.file, parts_.kv->NewFile(family));
  ShelfPageSink sink(identity.tenant, identity.segment_id, segment.file.get());
  SegmentWriteOptions options;
  options.drop_duplicates = drop_duplicates;
  LARDER_ASSIGN_OR_RETURN(segment.info, WriteSegment(table, identity, options, &sink));
  LARDER_RETURN_IF_ERROR(segment.file->Finish());
  return segment;
}

Result<std::vector<StoredSegment>> Shelf::Ingest(uint64_t partition,
                                                 const std::shared_ptr<KvFamily>& family,
                                                 std::vector<NewSegment> segments) {
  std::vector<std::unique_ptr<KvFileWriter>> files;
  std::vector<uint64_t> file_bytes;
  for (NewSegment& segment : segments) {
    file_bytes.push_back(segment.file->size_bytes());
    files.push_back(std::move(segment.file));
  }
  LARDER_RETURN_IF_ERROR(parts_.kv->Ingest(*family, std::move(files)));
  LARDER_CRASH_POINT("ingest.done");
  std::vector<StoredSegment> stored;
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentIdentity& identity = segments[i].info.identity;
    stored.push_back(OpenSegment(partition, family, identity.tenant, identity.segment_id));
    stored.back().file_bytes = file_bytes[i];
  }
  const auto broken = [](const StoredSegment& segment) { return segment.is_broken; };
  if (std::none_of(stored.begin(), stored.end(), broken)) return stored;
  // What cannot be read back must not take the place of what it was made from. It goes last: those
  // of a seal that can be read name the same generation, and a start would believe them.
  std::stable_partition(stored.begin(), stored.end(),
                        [](const StoredSegment& segment) { return !segment.is_broken; });
  for (const StoredSegment& segment : stored) {
    LARDER_RETURN_IF_ERROR(DeletePages(*family, segment.entry.tenant, segment.entry.id));
  }
  return Status::Unavailable("a segment cannot be read back after it was written");
}

Status Shelf::Seal(const Generation& generation) {
  LARDER_ASSIGN_OR_RETURN(const auto family, EnsureFamily(generation.partition));
  std::vector<NewSegment> segments;
  uint64_t written_bytes = 0;
  for (const auto& [tenant, table] : generation.heads) {
    if (table->published_rows() == 0) continue;
    SegmentIdentity identity;
    LARDER_ASSIGN_OR_RETURN(identity.segment_id, parts_.catalog->NewId());
    identity.tenant = tenant;
    identity.generations = {generation.id};
    identity.arrival_min_ns = generation.arrival_min_ns;
    identity.arrival_max_ns = generation.arrival_max_ns;
    LARDER_ASSIGN_OR_RETURN(auto segment, WriteOne(*family, *table, identity, false));
    written_bytes += segment.file->size_bytes();
    segments.push_back(std::move(segment));
  }
  LARDER_CRASH_POINT("seal.written");
  LARDER_ASSIGN_OR_RETURN(const auto stored,
                          Ingest(generation.partition, family, std::move(segments)));
  parts_.counters->segment_bytes_written.fetch_add(written_bytes);
  {
    MutexLock lock(mu_);
    Partition& partition = partitions_[generation.partition];
    --partition.generations;
    for (const StoredSegment& segment : stored) AddToPartition(&partition, segment);
  }
  parts_.views->ReplaceHeads(generation.id, EntriesOf(stored));
  return Status::Ok();
}

// Appends segments to `table`, as many as fit, and gives back which. Those that will not do are set
// apart.
Result<std::vector<uint64_t>> Shelf::CopySegments(uint64_t partition,
                                                  const std::vector<uint64_t>& segment_ids,
                                                  SpanTable* table) {
  std::vector<uint64_t> copied;
  for (const uint64_t id : segment_ids) {
    const SourceEntry entry = EntryOf(partition, id);
    const Status status = CopyRows(*entry.segment, table);
    const bool is_full =
        table->memory_bytes() > kMergeBytesMax || status.code() == StatusCode::kResourceExhausted;
    if (status.ok() && !(is_full && copied.empty())) {
      table->Publish();
      copied.push_back(id);
    } else {
      table->Rollback();
      if (!status.ok() && !is_full && status.code() != StatusCode::kDataLoss) return status;
      // What fits beside nothing that was picked would be picked again and again.
      if (!is_full || copied.size() < 2) SetApart(partition, {id}, status);
    }
    if (is_full) break;
  }
  return copied;
}

Status Shelf::Merge(uint64_t partition, TenantId tenant, const std::vector<uint64_t>& segment_ids,
                    const std::set<uint64_t>& journals) {
  SpanTable table;
  LARDER_ASSIGN_OR_RETURN(const std::vector<uint64_t> copied,
                          CopySegments(partition, segment_ids, &table));
  if (copied.size() < 2) return Status::Ok();
  SegmentIdentity identity = IdentityOfMerged(partition, copied, journals);
  identity.tenant = tenant;
  LARDER_ASSIGN_OR_RETURN(identity.segment_id, parts_.catalog->NewId());
  const std::shared_ptr<KvFamily> family = Family(partition);
  std::vector<NewSegment> segments;
  LARDER_ASSIGN_OR_RETURN(auto merged, WriteOne(*family, table, identity, true));
  const uint64_t written_bytes = merged.file->size_bytes();
  segments.push_back(std::move(merged));
  LARDER_CRASH_POINT("merge.written");
  LARDER_ASSIGN_OR_RETURN(const auto stored, Ingest(partition, family, std::move(segments)));
  parts_.counters->merge_bytes_written.fetch_add(written_bytes);
  parts_.views->ReplaceSegments(tenant, copied, EntriesOf(stored));
  {
    MutexLock lock(mu_);
    Partition& it = partitions_[partition];
    for (const uint64_t id : copied) {
      const auto old = it.segments.find(id);
      it.rows -= old->second.info.row_count;
      it.bytes -= old->second.file_bytes;
      Retire(partition, family, old->second);
      it.segments.erase(old);
    }
    AddToPartition(&it, stored.front());
  }
  LARDER_CRASH_POINT("merge.shown");
  return Status::Ok();
}

SegmentIdentity Shelf::IdentityOfMerged(uint64_t partition,
                                        const std::vector<uint64_t>& segment_ids,
                                        const std::set<uint64_t>& journals) {
  SegmentIdentity identity;
  identity.replaces = segment_ids;
  identity.arrival_min_ns = UINT64_MAX;
  MutexLock lock(mu_);
  for (const uint64_t id : segment_ids) {
    const SegmentIdentity& old = partitions_[partition].segments[id].info.identity;
    identity.arrival_min_ns = std::min(identity.arrival_min_ns, old.arrival_min_ns);
    identity.arrival_max_ns = std::max(identity.arrival_max_ns, old.arrival_max_ns);
    const std::vector<uint64_t> still_there = RetiredAmong(old);
    identity.replaces.insert(identity.replaces.end(), still_there.begin(), still_there.end());
    for (const uint64_t generation : old.generations) {
      // Its journal is still there: a crash must find it named.
      if (journals.contains(generation)) identity.generations.push_back(generation);
    }
  }
  return identity;
}

SourceEntry Shelf::EntryOf(uint64_t partition, uint64_t segment) {
  MutexLock lock(mu_);
  return partitions_[partition].segments.at(segment).entry;
}

void Shelf::SetApart(uint64_t partition, const std::vector<uint64_t>& segment_ids,
                     const Status& why) {
  MutexLock lock(mu_);
  for (const uint64_t id : segment_ids) {
    StoredSegment& segment = partitions_[partition].segments.at(id);
    segment.is_apart = true;
    Log(why.code() == StatusCode::kDataLoss ? LogLevel::kError : LogLevel::kInfo,
        "a segment is merged and indexed with no other",
        {{"place", segment.entry.name},
         {"reason", why.ok() ? std::string("it is large") : why.ToString()}});
  }
}

}  // namespace larder
