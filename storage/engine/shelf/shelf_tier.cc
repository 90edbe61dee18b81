// How far partitions are on their way to the cold tier, and to which one. (The tier itself is asked
// by the mover; upkeep/mover.h.)
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf.h"

namespace larder {
namespace {

bool IsOnItsWay(const PartitionRecord& record) {
  return record.state == PartitionState::kClosed || record.state == PartitionState::kUploading;
}

}  // namespace

std::optional<PartitionRecord> Shelf::RecordOf(uint64_t partition) {
  MutexLock lock(mu_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return std::nullopt;
  return found->second.record;
}

Status Shelf::SaveRecord(const PartitionRecord& record) {
  LARDER_RETURN_IF_ERROR(parts_.catalog->Save(record));
  LARDER_CRASH_POINT("tier.saved");
  MutexLock lock(mu_);
  partitions_.at(record.id).record = record;
  return Status::Ok();
}

Status Shelf::BeginUpload(uint64_t partition, uint64_t segment, bool* is_there) {
  PartitionRecord record;
  {
    MutexLock lock(mu_);
    const auto found = partitions_.find(partition);
    *is_there = found != partitions_.end() && found->second.segments.contains(segment);
    if (!*is_there) return Status::Ok();
    record = found->second.record;
  }
  if (record.state != PartitionState::kClosed) return Status::Ok();
  record.state = PartitionState::kUploading;
  record.tier = tier();
  return SaveRecord(record);
}

Status Shelf::NoteProgress(uint64_t partition, const UploadProgress& progress) {
  std::optional<PartitionRecord> record = RecordOf(partition);
  // It was dropped meanwhile.
  if (!record.has_value() || record->state != PartitionState::kUploading) return Status::Ok();
  record->uploaded_segment = progress.segment;
  record->filed.Add(progress.filed);
  record->keeps_rows = record->keeps_rows || progress.keeps_rows;
  return SaveRecord(*record);
}

Status Shelf::NoteUploaded(uint64_t partition) {
  std::optional<PartitionRecord> record = RecordOf(partition);
  if (!record.has_value() || !IsOnItsWay(*record)) return Status::Ok();
  record->state = PartitionState::kUploaded;
  return SaveRecord(*record);
}

Status Shelf::KeepRows(uint64_t partition) {
  std::optional<PartitionRecord> record = RecordOf(partition);
  if (!record.has_value()) return Status::Ok();
  record->keeps_rows = true;
  return SaveRecord(*record);
}

std::string Shelf::tier() {
  MutexLock lock(mu_);
  return tier_;
}

Status Shelf::BindTier(const std::string& tier) {
  std::vector<PartitionRecord> records;
  {
    MutexLock lock(mu_);
    for (const auto& [id, partition] : partitions_) records.push_back(partition.record);
  }
  for (PartitionRecord& record : records) {
    if (!MayLieInTier(record) || record.tier == tier) continue;
    if (record.tier.empty()) {
      record.tier = tier;
      LARDER_RETURN_IF_ERROR(SaveRecord(record));
      ShowTier(record);
    } else if (record.state == PartitionState::kEvicted) {
      Log(LogLevel::kWarning,
          "a partition lies in another cold tier than the settings name, and cannot be reached",
          {{"partition", record.id}, {"lies_in", record.tier}, {"settings_name", tier}});
    } else {
      LARDER_RETURN_IF_ERROR(StartAnew(record, tier));
    }
  }
  MutexLock lock(mu_);
  tier_ = tier;
  return Status::Ok();
}

// Nothing of the copy elsewhere counts: its tier may be gone by the time that the local one goes.
Status Shelf::StartAnew(PartitionRecord record, const std::string& tier) {
  Log(LogLevel::kWarning,
      "a partition was uploaded to another cold tier than the settings name; it is uploaded anew",
      {{"partition", record.id}, {"uploaded_to", record.tier}, {"settings_name", tier}});
  record.state = PartitionState::kClosed;
  record.tier.clear();
  record.uploaded_segment = 0;
  record.filed = {};
  record.keeps_rows = false;
  return SaveRecord(record);
}

void Shelf::ShowTier(const PartitionRecord& record) {
  MutexLock lock(mu_);
  Partition& it = partitions_.at(record.id);
  if (it.cold.empty()) return;
  for (auto& [tenant, part] : it.cold) part.entry.scope.tier = record.tier;
  parts_.views->EvictPartition(record.id, ColdEntriesOf(it.cold));
  if (record.is_fetched()) ShowCopy(it);
}

}  // namespace larder
