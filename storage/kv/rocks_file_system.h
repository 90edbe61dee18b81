// KvFileHooks put under RocksDB as its file system.
#pragma once

#include <memory>

#include <rocksdb/file_system.h>

#include "storage/kv/file_hooks.h"

namespace larder {

// `hooks` must outlive the file system and every file it opened.
std::shared_ptr<rocksdb::FileSystem> MakeHookedFileSystem(KvFileHooks* hooks);

}  // namespace larder
