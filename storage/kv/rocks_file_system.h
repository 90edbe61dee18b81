// What lies between RocksDB and the disk: the hooks of tests, and one word about errors.
#pragma once

#include <memory>

#include <rocksdb/file_system.h>

#include "storage/kv/file_hooks.h"

namespace larder {

// The machine's file system, its write errors marked as ones to recover from. (RocksDB takes an
// unmarked error of a log or a manifest for fatal, and does not write a manifest anew even when
// asked to resume.) `hooks` may be null; they must outlive the file system and every file it
// opened.
std::shared_ptr<rocksdb::FileSystem> MakeFileSystem(KvFileHooks* hooks);

}  // namespace larder
