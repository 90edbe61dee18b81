#include "storage/kv/rocks_database.h"

#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "storage/base/log.h"
#include "storage/kv/rocks_file_system.h"
#include "storage/kv/rocks_options.h"

namespace larder {
namespace {

// Everything but the database itself.
std::shared_ptr<RocksDatabase> Prepare(const KvOptions& options) {
  auto database = std::make_shared<RocksDatabase>();
  rocksdb::Env* env = rocksdb::Env::Default();
  if (options.hooks != nullptr) {
    database->env = rocksdb::NewCompositeEnv(MakeHookedFileSystem(options.hooks));
    env = database->env.get();
  }
  database->cache = MakeBlockCache(options.block_cache_bytes);
  database->options = rocksdb::Options(MakeDbOptions(env), MakeFamilyOptions(database->cache));
  return database;
}

Result<std::shared_ptr<RocksDatabase>> TryOpen(const KvOptions& options,
                                               rocksdb::WALRecoveryMode wal_mode) {
  std::shared_ptr<RocksDatabase> database = Prepare(options);
  database->options.wal_recovery_mode = wal_mode;
  rocksdb::Env* env = database->options.env;
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  if (env->FileExists(options.path + "/CURRENT").ok()) {
    LARDER_RETURN_IF_ERROR(
        FromRocks(rocksdb::DB::ListColumnFamilies(database->options, options.path, &names)));
  } else if (options.read_only) {
    return Status::Unavailable("no database at " + options.path);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, database->options);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(database->options, options.path, families,
                                         &database->handles, &db)
          : rocksdb::DB::Open(database->options, options.path, families, &database->handles, &db);
  database->db.reset(db);
  LARDER_RETURN_IF_ERROR(FromRocks(opened));
  return database;
}

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

Result<std::shared_ptr<RocksDatabase>> OpenDamaged(const KvOptions& options, const Status& why) {
  Log(LogLevel::kError, "the database is damaged; leaving out the damaged log records",
      {{"path", options.path}, {"reason", why.ToString()}});
  auto opened = TryOpen(options, rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords);
  if (opened.ok() || options.read_only || !IsDamage(opened.status())) return opened;
  rocksdb::Env* env = rocksdb::Env::Default();
  const std::string damaged = FreeName(env, options.path);
  Log(LogLevel::kError, "the database's manifest is damaged; making it anew from its files",
      {{"path", options.path}, {"kept", damaged}, {"reason", opened.status().ToString()}});
  LARDER_RETURN_IF_ERROR(FromRocks(env->RenameFile(options.path, damaged)));
  LARDER_RETURN_IF_ERROR(ClearStaging(env, options.path));
  LARDER_RETURN_IF_ERROR(SalvageFiles(options, damaged));
  return TryOpen(options, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
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

Result<std::shared_ptr<RocksDatabase>> OpenRocksDatabase(const KvOptions& options) {
  if (!options.read_only) {
    LARDER_RETURN_IF_ERROR(ClearStaging(rocksdb::Env::Default(), options.path));
  }
  auto opened = TryOpen(options, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  if (opened.ok() || !IsDamage(opened.status())) return opened;
  return OpenDamaged(options, opened.status());
}

}  // namespace larder
