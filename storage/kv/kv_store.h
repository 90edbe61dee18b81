// RocksDB as a shelf: column families of ordered keys, atomic ingest of sorted files, checksums.
// The only folder that names rocksdb. Compaction is off: nothing here rewrites data by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"
#include "storage/kv/file_hooks.h"

namespace larder {

struct KvOptions {
  std::string path;
  uint64_t block_cache_bytes = 8ull << 20;
  bool read_only = false;
  KvFileHooks* hooks = nullptr;  // tests only; must outlive the store and everything it handed out
};

// A column family. Keeps its data readable while it is held, dropped or not. Thread-safe. May
// outlive the store that made it: the database closes when the last of both is gone.
class KvFamily {
 public:
  virtual ~KvFamily() = default;
  virtual const std::string& name() const = 0;
};

// A value that stays valid while it is held.
class KvValue {
 public:
  virtual ~KvValue() = default;
  virtual std::string_view view() const = 0;
};

// Writes one sorted file, to be ingested. Not thread-safe. Files that are not ingested are removed.
class KvFileWriter {
 public:
  virtual ~KvFileWriter() = default;
  // REQUIRES: key is after every key added before.
  virtual Status Add(std::string_view key, std::string_view value) = 0;
  // Syncs and closes. REQUIRES: a key was added.
  virtual Status Finish() = 0;
  virtual uint64_t size_bytes() const = 0;
};

// A sorted file of a family, as the store's own books say (the file itself is not read).
struct KvFileInfo {
  std::string name;
  std::string smallest_key;
  std::string largest_key;
  uint64_t size_bytes = 0;
};

// Thread-safe. Errors: kResourceExhausted (disk full), kDataLoss (checksum), kUnavailable (other
// I/O).
class KvStore {
 public:
  // Opens or creates, with every column family that exists. A damaged write-ahead log loses its
  // damaged records; when the store's own books (its manifest) are damaged, they are made anew from
  // the sorted files, and the old ones are kept beside as `path`.damaged. Both are logged.
  static Result<std::unique_ptr<KvStore>> Open(const KvOptions& options);
  virtual ~KvStore() = default;

  virtual std::vector<std::shared_ptr<KvFamily>> families() const = 0;
  virtual std::shared_ptr<KvFamily> default_family() const = 0;
  // Or takes the one of that name which an attempt that failed has left.
  virtual Result<std::shared_ptr<KvFamily>> CreateFamily(const std::string& name) = 0;
  // Its disk space comes back once nobody holds the family.
  virtual Status DropFamily(std::shared_ptr<KvFamily> family) = 0;

  // kNotFound when there is no such key.
  virtual Result<std::shared_ptr<const KvValue>> Get(const KvFamily& family,
                                                     std::string_view key) const = 0;
  // Calls `visit` for every key that starts with `prefix`, ascending, until it returns false.
  virtual Status Scan(
      const KvFamily& family, std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  // A small durable batch of puts and deletes (a deleted key has no value).
  struct Change {
    std::string key;
    std::string value = {};
    bool is_delete = false;
  };
  virtual Status Commit(const KvFamily& family, const std::vector<Change>& changes) = 0;

  // A file in the store's own directory, so that ingest moves it without a copy. It remembers the
  // family, so that it finds its place again when the store's books are lost.
  virtual Result<std::unique_ptr<KvFileWriter>> NewFile(const KvFamily& family) = 0;
  // All of the files appear at once, durably, or none does. The writers must be finished, and their
  // key ranges must overlap neither each other nor a file of the family.
  virtual Status Ingest(const KvFamily& family,
                        std::vector<std::unique_ptr<KvFileWriter>> files) = 0;
  // Removes the files whose keys all lie in [from, until).
  virtual Status DeleteFiles(const KvFamily& family, std::string_view from,
                             std::string_view until) = 0;
  virtual std::vector<KvFileInfo> Files(const KvFamily& family) const = 0;
  virtual uint64_t FamilyBytes(const KvFamily& family) const = 0;
  // What was found damaged at open and could not be saved, one line each, naming the file.
  virtual std::vector<std::string> Faults() const = 0;
};

}  // namespace larder
