#include "storage/kv/rocks_options.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/table.h>

#include "storage/base/log.h"

namespace larder {
namespace {

// RocksDB's warnings and errors into our log; the rest is dropped.
class ForwardingLogger : public rocksdb::Logger {
 public:
  ForwardingLogger() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL) {
      return;
    }
    std::array<char, 512> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    Log(level == rocksdb::InfoLogLevel::WARN_LEVEL ? LogLevel::kWarning : LogLevel::kError,
        "rocksdb", {{"says", line.data()}});
  }
};

rocksdb::BlockBasedTableOptions MakeTableOptions(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions options;
  options.block_cache = std::move(cache);
  // Pages are a few kB each: a block is about one page, and the index of a segment is read in
  // parts.
  options.block_size = 4096;
  options.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  options.metadata_block_size = 4096;
  options.cache_index_and_filter_blocks = true;
  options.cache_index_and_filter_blocks_with_high_priority = true;
  options.pin_top_level_index_and_filter = false;
  options.checksum = rocksdb::kXXH3;
  options.format_version = 5;
  return options;
}

}  // namespace

Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return Status::Ok();
  std::string message = status.ToString();
  if (status.IsNotFound()) return Status::NotFound(std::move(message));
  // A file that is named and not there is damage too.
  if (status.IsCorruption() || status.IsPathNotFound()) {
    return Status::DataLoss(std::move(message));
  }
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return Status::ResourceExhausted(std::move(message));
  }
  if (status.IsInvalidArgument() || status.IsNotSupported()) {
    return Status::Internal(std::move(message));
  }
  return Status::Unavailable(std::move(message));
}

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  options.env = env;
  options.create_if_missing = true;
  options.info_log = std::make_shared<ForwardingLogger>();
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.skip_stats_update_on_db_open = true;
  // Our files are made outside of the database, so they have no such id.
  options.verify_sst_unique_id_in_manifest = false;
  options.avoid_flush_during_recovery = true;
  options.avoid_flush_during_shutdown = true;
  options.max_manifest_file_size = 4 << 20;
  options.manifest_preallocation_size = 64 << 10;
  options.delete_obsolete_files_period_micros = 0;
  // We take writes up again ourselves, when there is space (KvStore::Resume).
  options.max_bgerror_resume_count = 0;
  return options;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::ColumnFamilyOptions options;
  options.disable_auto_compactions = true;
  options.ttl = 0;
  options.periodic_compaction_seconds = 0;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 64 << 10;
  options.level0_slowdown_writes_trigger = 1 << 20;
  options.level0_stop_writes_trigger = 1 << 20;
  options.table_factory.reset(
      rocksdb::NewBlockBasedTableFactory(MakeTableOptions(std::move(cache))));
  return options;
}

std::shared_ptr<rocksdb::Cache> MakeBlockCache(uint64_t capacity_bytes) {
  rocksdb::LRUCacheOptions options;
  options.capacity = capacity_bytes;
  options.high_pri_pool_ratio = 0.75;
  options.num_shard_bits = 2;
  return rocksdb::NewLRUCache(options);
}

}  // namespace larder
