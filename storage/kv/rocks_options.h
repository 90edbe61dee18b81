// How RocksDB is set up, and its statuses as ours.
#pragma once

#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include "storage/base/status.h"

namespace larder {

Status FromRocks(const rocksdb::Status& status);

// Of the whole database. Its info log goes to our own log, never to a file: writing it to a full
// disk would abort the process (Debian's package has assertions on).
rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env);

// Of every column family. `cache` holds index partitions before data.
rocksdb::ColumnFamilyOptions MakeFamilyOptions(std::shared_ptr<rocksdb::Cache> cache);

std::shared_ptr<rocksdb::Cache> MakeBlockCache(uint64_t capacity_bytes);

}  // namespace larder
