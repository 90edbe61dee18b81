#include "storage/engine/shelf/cold_shelf.h"

#include <string>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/broken_source.h"
#include "storage/engine/shelf/shelf_pages.h"
#include "storage/kv/keys.h"

namespace larder {

std::vector<ColdEntry> ColdEntriesOf(const ColdParts& cold) {
  std::vector<ColdEntry> entries;
  for (const auto& [tenant, part] : cold) {
    if (part.entry.part != nullptr) entries.push_back(part.entry);
  }
  return entries;
}

Status ColdShelf::EnsureFamily() {
  if (family_ != nullptr) return Status::Ok();
  // A program that knows of no such family would drop it.
  LARDER_RETURN_IF_ERROR(RaiseFormat(parts_.directory, parts_.catalog, kFormatVersionCold));
  LARDER_ASSIGN_OR_RETURN(family_, parts_.kv->CreateFamily(std::string(kColdFamilyName)));
  return Status::Ok();
}

StoredColdPart ColdShelf::Open(TenantId tenant, uint64_t part_id) {
  StoredColdPart stored;
  stored.tenant = tenant;
  stored.part_id = part_id;
  auto opened =
      ColdPart::Open(MakeShelfPageSource(parts_.kv, family_, tenant, part_id), parts_.cache);
  if (!opened.ok()) {
    stored.broken.name = "cold part " + std::to_string(part_id);
    const Status why = opened.status().With(stored.broken.name);
    Log(LogLevel::kError, "what stays of an evicted partition cannot be read",
        {{"reason", why.ToString()}});
    stored.broken.source = MakeBrokenSource(why);
    stored.broken.id = part_id;
    stored.broken.tenant = tenant;
    return stored;
  }
  const ColdFacts& facts = (*opened)->facts();
  stored.entry.part = *opened;
  stored.entry.scope.store = parts_.catalog->store_id();
  stored.entry.scope.partition = facts.partition;
  stored.entry.scope.tenant = tenant;
  stored.entry.scope.tenant_name = parts_.tenants->Names()[tenant];
  stored.entry.scope.filed = facts.filed;
  stored.entry.scope.segments = {*opened, &facts.segment_ids};
  return stored;
}

Result<std::map<uint64_t, ColdParts>> ColdShelf::Load(std::shared_ptr<KvFamily> family,
                                                      bool may_write) {
  if (may_write) {
    LARDER_RETURN_IF_ERROR(RaiseFormat(parts_.directory, parts_.catalog, kFormatVersionCold));
  }
  family_ = std::move(family);
  std::map<std::pair<TenantId, uint64_t>, uint64_t> places;
  for (const KvFileInfo& file : parts_.kv->Files(*family_)) {
    ShelfKey key;
    if (!DecodeShelfKey(file.smallest_key, &key)) continue;
    places[{key.tenant, key.segment_id}] += file.size_bytes;
  }
  std::map<uint64_t, ColdParts> loaded;
  for (const auto& [place, file_bytes] : places) {
    const auto [tenant, part_id] = place;
    StoredColdPart stored = Open(tenant, part_id);
    stored.file_bytes = file_bytes;
    if (parts_.tenants->IsGoing(tenant, part_id)) {
      if (may_write) LARDER_RETURN_IF_ERROR(Delete(tenant, stored));
      continue;
    }
    parts_.tenants->NoteUsed(tenant);
    const uint64_t partition = stored.entry.part != nullptr ? stored.entry.scope.partition : 0;
    loaded[partition][tenant] = std::move(stored);
  }
  return loaded;
}

Result<ColdParts> ColdShelf::Write(const PartitionRecord& record,
                                   const std::map<TenantId, std::vector<SourceEntry>>& segments,
                                   const CallsOfTenant& calls, const std::atomic<bool>* cancelled) {
  LARDER_RETURN_IF_ERROR(EnsureFamily());
  std::vector<std::unique_ptr<KvFileWriter>> files;
  std::map<TenantId, std::pair<uint64_t, uint64_t>> written;  // part id, bytes
  for (const auto& [tenant, entries] : segments) {
    ColdPartOptions options;
    options.cancelled = cancelled;
    options.facts.partition = record.id;
    options.facts.tenant = tenant;
    options.facts.filed = record.filed;
    LARDER_ASSIGN_OR_RETURN(options.facts.part_id, parts_.catalog->NewId());
    LARDER_ASSIGN_OR_RETURN(options.calls, calls(tenant));
    std::vector<std::shared_ptr<const Segment>> of_tenant;
    for (const SourceEntry& entry : entries) of_tenant.push_back(entry.segment);
    const uint64_t part_id = options.facts.part_id;
    LARDER_ASSIGN_OR_RETURN(auto file, parts_.kv->NewFile(*family_));
    ShelfPageSink sink(tenant, part_id, file.get());
    LARDER_RETURN_IF_ERROR(WriteColdPart(of_tenant, std::move(options), &sink).status());
    LARDER_RETURN_IF_ERROR(file->Finish());
    written[tenant] = {part_id, file->size_bytes()};
    files.push_back(std::move(file));
  }
  LARDER_CRASH_POINT("evict.written");
  LARDER_RETURN_IF_ERROR(parts_.kv->Ingest(*family_, std::move(files)));
  LARDER_CRASH_POINT("evict.ingested");
  ColdParts cold;
  bool is_whole = true;
  for (const auto& [tenant, place] : written) {
    cold[tenant] = Open(tenant, place.first);
    cold[tenant].file_bytes = place.second;
    is_whole = is_whole && cold[tenant].entry.part != nullptr;
  }
  if (is_whole) return cold;
  // What cannot be read back must not take the place of what it was made from.
  LARDER_RETURN_IF_ERROR(Delete(cold));
  return Status::Unavailable("what stays of a partition cannot be read back after it was written");
}

Status ColdShelf::Delete(const ColdParts& cold) {
  for (const auto& [tenant, part] : cold) LARDER_RETURN_IF_ERROR(Delete(tenant, part));
  return Status::Ok();
}

Status ColdShelf::Delete(TenantId tenant, const StoredColdPart& part) {
  LARDER_CRASH_POINT("cold.delete");
  const std::string prefix = SegmentPrefix(tenant, part.part_id);
  return parts_.kv->DeleteFiles(*family_, prefix, PrefixEnd(prefix));
}

uint64_t ColdShelf::size_bytes() const {
  return family_ != nullptr ? parts_.kv->FamilyBytes(*family_) : 0;
}

}  // namespace larder
