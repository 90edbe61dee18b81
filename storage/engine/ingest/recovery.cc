#include "storage/engine/ingest/recovery.h"

#include <algorithm>
#include <string>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"

namespace larder {
namespace {

class Recovery {
 public:
  explicit Recovery(const RecoveryParts& parts) : parts_(parts) {}

  Status Recover(const std::string& name, uint64_t generation_id);

 private:
  Status Append(const JournalRecord& record);
  Status Finish(const std::string& name, const JournalReplay& replay);
  std::string PathOf(const std::string& name) const {
    return parts_.directory->journal_path() + "/" + name;
  }

  const RecoveryParts& parts_;
  std::shared_ptr<Generation> generation_;
};

Status Recovery::Recover(const std::string& name, uint64_t generation_id) {
  generation_ = std::make_shared<Generation>();
  generation_->id = generation_id;
  const auto replay = ReplayJournal(parts_.file_system, PathOf(name),
                                    [this](const JournalRecord& record) { return Append(record); });
  if (replay.ok()) return Finish(name, *replay);
  if (replay.status().code() != StatusCode::kDataLoss) return replay.status().With(PathOf(name));
  Log(LogLevel::kError, "a journal cannot be read and is set aside",
      {{"file", PathOf(name)}, {"reason", replay.status().ToString()}});
  parts_.counters->records_set_aside.fetch_add(1);
  if (!parts_.read_only) parts_.directory->SetAsideJournal(name);
  return Status::Ok();
}

Status Recovery::Append(const JournalRecord& record) {
  parts_.tenants->NoteUsed(record.tenant);
  if (parts_.tenants->IsPurged(record.tenant, generation_->id)) return Status::Ok();
  std::shared_ptr<SpanTable>& table = generation_->heads[record.tenant];
  if (table == nullptr) table = std::make_shared<SpanTable>();
  const auto appended = table->Append(record.request, parts_.append_limits);
  if (!appended.ok()) {
    // It was accepted once, so this is damage that a checksum did not see, or our own mistake.
    Log(LogLevel::kError, "a journalled request is refused",
        {{"generation", generation_->id}, {"reason", appended.status().ToString()}});
    parts_.counters->records_set_aside.fetch_add(1);
    generation_->journal_is_damaged = true;
    return Status::Ok();
  }
  generation_->NoteArrival(record.arrival_ns);
  parts_.replayed(record, *appended);
  return Status::Ok();
}

Status Recovery::Finish(const std::string& name, const JournalReplay& replay) {
  for (const JournalDamage& damage : replay.damages) {
    Log(LogLevel::kError, "a part of a journal is damaged and set aside",
        {{"file", PathOf(name)},
         {"offset", damage.offset},
         {"bytes", damage.size_bytes},
         {"reason", damage.reason}});
    parts_.counters->records_set_aside.fetch_add(1);
    generation_->journal_is_damaged = true;
  }
  for (const auto& [tenant, table] : generation_->heads) {
    table->Publish();
    generation_->memory_bytes += table->memory_bytes();
  }
  LARDER_CRASH_POINT("start.replayed");
  if (parts_.read_only) {
    generation_->partition = UINT64_MAX;
  } else {
    // A generation is of one data set.
    const bool is_archive =
        !generation_->heads.empty() && IsArchive(generation_->heads.begin()->first);
    LARDER_ASSIGN_OR_RETURN(generation_->partition, parts_.shelf->Join(is_archive));
  }
  for (const auto& [tenant, table] : generation_->heads) {
    parts_.views->AddHead(generation_->id, generation_->partition, tenant, table);
  }
  Log(LogLevel::kInfo, "a journal is replayed",
      {{"file", name}, {"requests", replay.records}, {"spans", generation_->published_rows()}});
  parts_.recovered(std::move(generation_));
  return Status::Ok();
}

}  // namespace

Status RecoverJournals(const RecoveryParts& parts) {
  const std::string path = parts.directory->journal_path();
  if (parts.read_only && !parts.file_system->Exists(path)) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const auto names, parts.file_system->List(path));
  std::vector<std::pair<uint64_t, std::string>> journals;
  for (const std::string& name : names) {
    uint64_t generation = 0;
    if (ParseJournalFileName(name, &generation)) journals.emplace_back(generation, name);
  }
  std::sort(journals.begin(), journals.end());
  if (!journals.empty()) parts.catalog->RaiseNextId(journals.back().first + 1);
  Recovery recovery(parts);
  for (const auto& [generation, name] : journals) {
    if (parts.shelf->sealed_generations().count(generation) == 0) {
      LARDER_RETURN_IF_ERROR(recovery.Recover(name, generation));
    } else if (!parts.read_only) {
      LARDER_CRASH_POINT("start.remove_journal");
      LARDER_RETURN_IF_ERROR(parts.file_system->Remove(path + "/" + name));
    }
  }
  return parts.read_only ? Status::Ok() : parts.file_system->SyncDirectory(path);
}

}  // namespace larder
