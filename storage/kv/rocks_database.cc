#include "storage/kv/rocks_database.h"

#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "storage/base/log.h"
#include "storage/kv/rocks_file_system.h"
#include "storage/kv/rocks_options.h"

namespace larder {
namespace {

// The first name of `path`.damaged, `path`.damaged-2, ... that is free.
std::string FreeName(rocksdb::Env* env, const std::string& path) {
  std::string name = path + ".damaged";
  for (int i = 2; env->FileExists(name).ok(); ++i) {
    name = path + ".damaged-" + std::to_string(i);
  }
  return name;
}

Status ClearStaging(rocksdb::Env* env, const std::string& path) {
  const std::string staging = StagingDirectory(path);
  LARDER_RETURN_IF_ERROR(FromRocks(env->CreateDirIfMissing(path)));
  LARDER_RETURN_IF_ERROR(FromRocks(env->CreateDirIfMissing(staging)));
  std::vector<std::string> names;
  LARDER_RETURN_IF_ERROR(FromRocks(env->GetChildren(staging, &names)));
  for (const std::string& name : names) {
    env->DeleteFile(staging + "/" + name).PermitUncheckedError();
  }
  return Status::Ok();
}

bool IsDamage(const Status& status) {
  // RocksDB calls a manifest or CURRENT that names nothing "invalid argument" or "not found".
  return status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kInternal ||
         status.code() == StatusCode::kNotFound;
}

}  // namespace

std::string StagingDirectory(const std::string& path) { return path + "/staging"; }

rocksdb::IngestExternalFileOptions MakeIngestOptions() {
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.failed_move_fall_back_to_copy = true;
  options.snapshot_consistency = false;
  options.allow_global_seqno = true;
  options.write_global_seqno = false;
  return options;
}

RocksDatabase::RocksDatabase(const KvOptions& options)
    : kv_options_(options),
      env_(rocksdb::NewCompositeEnv(MakeFileSystem(options.hooks))),
      options_(MakeDbOptions(env_.get()),
               MakeFamilyOptions(MakeBlockCache(options.block_cache_bytes))) {}

RocksDatabase::~RocksDatabase() {
  MutexLock lock(mu_);
  Close();
}

Result<std::shared_ptr<RocksDatabase>> RocksDatabase::Open(const KvOptions& options) {
  if (!options.read_only) {
    LARDER_RETURN_IF_ERROR(ClearStaging(rocksdb::Env::Default(), options.path));
  }
  auto database = std::make_shared<RocksDatabase>(options);
  Status opened =
      database->TryOpen(rocksdb::WALRecoveryMode::kPointInTimeRecovery, options.read_only);
  if (IsDamage(opened)) opened = database->OpenDamaged(opened);
  LARDER_RETURN_IF_ERROR(opened);
  return database;
}

Status RocksDatabase::TryOpen(rocksdb::WALRecoveryMode wal_mode, bool read_only) {
  rocksdb::Options options = options_;
  options.wal_recovery_mode = wal_mode;
  const std::string& path = kv_options_.path;
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  if (options.env->FileExists(path + "/CURRENT").ok()) {
    LARDER_RETURN_IF_ERROR(FromRocks(rocksdb::DB::ListColumnFamilies(options, path, &names)));
  } else if (read_only) {
    return Status::Unavailable("no database at " + path);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      read_only ? rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &db)
                : rocksdb::DB::Open(options, path, families, &handles, &db);
  LARDER_RETURN_IF_ERROR(FromRocks(opened));
  MutexLock lock(mu_);
  db_.reset(db);
  for (rocksdb::ColumnFamilyHandle* handle : handles) handles_[handle->GetName()] = handle;
  return Status::Ok();
}

Status RocksDatabase::OpenDamaged(const Status& why) {
  const std::string& path = kv_options_.path;
  Log(LogLevel::kError, "the database is damaged; leaving out the damaged log records",
      {{"path", path}, {"reason", why.ToString()}});
  const Status opened =
      TryOpen(rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords, kv_options_.read_only);
  std::vector<std::string> faults = {path + ": " + std::string(why.message())};
  const auto note = [this, &faults](const Status& outcome) {
    MutexLock lock(mu_);
    faults_.insert(faults_.end(), faults.begin(), faults.end());
    return outcome;
  };
  if (kv_options_.read_only || !IsDamage(opened)) return note(opened);
  rocksdb::Env* env = rocksdb::Env::Default();
  const std::string damaged = FreeName(env, path);
  Log(LogLevel::kError, "the database's manifest is damaged; making it anew from its files",
      {{"path", path}, {"kept", damaged}, {"reason", opened.ToString()}});
  LARDER_RETURN_IF_ERROR(FromRocks(env->RenameFile(path, damaged)));
  LARDER_RETURN_IF_ERROR(ClearStaging(env, path));
  LARDER_RETURN_IF_ERROR(SalvageFiles(kv_options_, damaged, &faults));
  return note(TryOpen(rocksdb::WALRecoveryMode::kPointInTimeRecovery, false));
}

Status RocksDatabase::Reopen() {
  {
    MutexLock lock(mu_);
    while (reopening_) idle_.Wait(mu_);
    reopening_ = true;
    while (users_ > 0) idle_.Wait(mu_);
    // The last record of the manifest may name a file that was removed when the record could not be
    // synced; resuming writes a manifest anew. It leaves other things undone, so it is not enough.
    if (db_ != nullptr) db_->Resume().PermitUncheckedError();
    Close();
  }
  Status opened = TryOpen(rocksdb::WALRecoveryMode::kPointInTimeRecovery, false);
  if (IsDamage(opened)) opened = OpenDamaged(opened);
  if (!opened.ok()) {
    Log(LogLevel::kError, "the database cannot be opened again for writing",
        {{"path", kv_options_.path}, {"reason", opened.ToString()}});
    const Status readable = TryOpen(rocksdb::WALRecoveryMode::kPointInTimeRecovery, true);
    if (!readable.ok()) {
      Log(LogLevel::kError, "... nor for reading", {{"reason", readable.ToString()}});
    }
  }
  MutexLock lock(mu_);
  reopening_ = false;
  idle_.SignalAll();
  return opened;
}

void RocksDatabase::Close() {
  for (const auto& [name, handle] : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  handles_.clear();
  db_.reset();
}

void RocksDatabase::AddHandle(rocksdb::ColumnFamilyHandle* handle) {
  MutexLock lock(mu_);
  handles_[handle->GetName()] = handle;
}

void RocksDatabase::GiveBack(const std::string& family) {
  const Use use(this, family);
  if (use.handle() == nullptr) return;
  {
    MutexLock lock(mu_);
    handles_.erase(family);
  }
  // Frees the files of a dropped family.
  use.db()->DestroyColumnFamilyHandle(use.handle()).PermitUncheckedError();
}

std::vector<std::string> RocksDatabase::Faults() {
  MutexLock lock(mu_);
  return faults_;
}

std::vector<std::string> RocksDatabase::Families() {
  MutexLock lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, handle] : handles_) names.push_back(name);
  return names;
}

RocksDatabase::Use::Use(RocksDatabase* database, const std::string& family) : database_(database) {
  MutexLock lock(database_->mu_);
  while (database_->reopening_) database_->idle_.Wait(database_->mu_);
  ++database_->users_;
  db_ = database_->db_.get();
  const auto found = database_->handles_.find(family);
  if (found != database_->handles_.end()) handle_ = found->second;
}

RocksDatabase::Use::~Use() {
  MutexLock lock(database_->mu_);
  if (--database_->users_ == 0 && database_->reopening_) database_->idle_.SignalAll();
}

Status RocksDatabase::Use::status() const {
  if (db_ == nullptr) return Status::Unavailable("the database is closed after an error");
  if (handle_ == nullptr) return Status::NotFound("the partition is gone");
  return Status::Ok();
}

}  // namespace larder
