// An open RocksDB, how it is opened when it is damaged, and how it is opened again after an error.
//
// After a failed write of its log or manifest RocksDB refuses writes. DB::Resume of 7.8.3 does not
// bring it back whole (ingestion then runs without file numbers), so the database is closed and
// opened anew under its users: each call holds a Use while it works, and a new opening waits for
// them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/kv/kv_store.h"

namespace larder {

// Thread-safe.
class RocksDatabase {
 public:
  // As KvStore::Open says.
  static Result<std::shared_ptr<RocksDatabase>> Open(const KvOptions& options);
  explicit RocksDatabase(const KvOptions& options);
  ~RocksDatabase();
  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  // While it lives the database stays open. Short-lived; never two at once in one thread.
  class Use {
   public:
    // For calls on the family of that name.
    Use(RocksDatabase* database, const std::string& family);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    // kUnavailable: the database could not be opened again; kNotFound: the family is gone.
    Status status() const;
    rocksdb::DB* db() const { return db_; }
    rocksdb::ColumnFamilyHandle* handle() const { return handle_; }

   private:
    RocksDatabase* const database_;
    rocksdb::DB* db_ = nullptr;
    rocksdb::ColumnFamilyHandle* handle_ = nullptr;
  };

  // Closes and opens. When it cannot be opened for writing it is opened for reading, and the
  // failure is returned: reads go on, and this may be tried again.
  Status Reopen();

  // A new family's handle, and the end of one.
  void AddHandle(rocksdb::ColumnFamilyHandle* handle);
  void GiveBack(const std::string& family);
  // Names of the families that are open.
  std::vector<std::string> Families();

  // What could not be saved when the database was damaged, one line each.
  std::vector<std::string> Faults();

  const rocksdb::Options& options() const { return options_; }

 private:
  Status TryOpen(rocksdb::WALRecoveryMode wal_mode, bool read_only);
  Status OpenDamaged(const Status& why);
  void Close() REQUIRES(mu_);

  const KvOptions kv_options_;
  std::unique_ptr<rocksdb::Env> env_;
  rocksdb::Options options_;  // owns the block cache

  Mutex mu_;
  CondVar idle_;
  bool reopening_ GUARDED_BY(mu_) = false;
  uint32_t users_ GUARDED_BY(mu_) = 0;
  std::vector<std::string> faults_ GUARDED_BY(mu_);
  std::map<std::string, rocksdb::ColumnFamilyHandle*> handles_ GUARDED_BY(mu_);
  std::unique_ptr<rocksdb::DB> db_ GUARDED_BY(mu_);  // null: could not be opened again
};

// The property of a sorted file that names its family. (RocksDB's own property of that kind holds
// the family's number too, and a new database gives another number.)
inline constexpr char kFamilyProperty[] = "larder.family";

// Where files are written before they are ingested.
std::string StagingDirectory(const std::string& path);

// Makes a new database at `path` from the sorted files found in `damaged`, each into the family
// that its properties name. What cannot be read stays where it is, with a line in the log and in
// `faults`.
Status SalvageFiles(const KvOptions& options, const std::string& damaged,
                    std::vector<std::string>* faults);

// How files of ours enter a family: moved, synced, without a rewrite.
rocksdb::IngestExternalFileOptions MakeIngestOptions();

}  // namespace larder
