// An open RocksDB with what must live as long as it does, and how it is opened when it is damaged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "storage/base/status.h"
#include "storage/kv/kv_store.h"

namespace larder {

// Handles must be given back before the database is destroyed.
struct RocksDatabase {
  std::unique_ptr<rocksdb::Env> env;
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::Options options;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // as opened; the store takes them over
  std::unique_ptr<rocksdb::DB> db;
};

// As KvStore::Open says.
Result<std::shared_ptr<RocksDatabase>> OpenRocksDatabase(const KvOptions& options);

// The property of a sorted file that names its family. (RocksDB's own property of that kind holds
// the family's number too, and a new database gives another number.)
inline constexpr char kFamilyProperty[] = "larder.family";

// Where files are written before they are ingested.
std::string StagingDirectory(const std::string& path);

// Makes a new database at `path` from the sorted files found in `damaged`, each into the family
// that its properties name. What cannot be read stays where it is, with a line in the log.
Status SalvageFiles(const KvOptions& options, const std::string& damaged);

// How files of ours enter a family: moved, synced, without a rewrite.
rocksdb::IngestExternalFileOptions MakeIngestOptions();

}  // namespace larder
