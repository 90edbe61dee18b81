// The files of the journal and of the data directory come in through this seam, so that tests can
// cut the power, tear a write or fill the disk at any call. (The same faults go under RocksDB by a
// seam of its own, storage/kv.)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace larder {

// A file open for appending. Not thread-safe. The destructor closes without syncing.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Writes all of `bytes` or fails; after a failure the file's end is unknown until Truncate.
  // kResourceExhausted: the disk (or the quota) is full. kUnavailable: any other input/output
  // error.
  virtual Status Append(std::string_view bytes) = 0;
  // All that was appended survives power loss. After one failed Sync the file must not be trusted
  // again: the kernel may have dropped the dirty pages and will report success next time.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size_bytes) = 0;
  virtual uint64_t size_bytes() const = 0;
};

// Held while it lives; released by destruction or by the end of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // free to an ordinary user
};

// Thread-safe. Paths are plain strings with '/' between parts. Codes as AppendFile's; a missing
// file is kNotFound. Messages name the path, the cause and the cure.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates or truncates `path`. The new name survives power loss only after SyncDirectory.
  virtual Result<std::unique_ptr<AppendFile>> CreateFile(const std::string& path) = 0;
  // Opens an existing file for appending at its end.
  virtual Result<std::unique_ptr<AppendFile>> OpenFile(const std::string& path) = 0;
  // At most `size_bytes` bytes from `offset` on; fewer at the end of the file.
  virtual Result<std::string> Read(const std::string& path, uint64_t offset,
                                   uint64_t size_bytes) = 0;
  virtual Result<uint64_t> FileSize(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  // The names (not paths) in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  // Creates the directory and its parents, mode 0700, durably; fine when it is there already.
  virtual Status CreateDirectories(const std::string& directory) = 0;
  // A file or an empty directory. Survives power loss only after SyncDirectory, as does Rename.
  virtual Status Remove(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status SyncDirectory(const std::string& directory) = 0;
  virtual Result<DiskSpace> Space(const std::string& directory) = 0;
  // Reserves real blocks, so that removing the file gives them back (the reserve of a full disk).
  virtual Status Allocate(const std::string& path, uint64_t size_bytes) = 0;
  // Creates `path`, which stays when the lock goes. kAlreadyExists, naming the holder's pid, when
  // it is held already, by another process or by this one.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // The machine's file system. Lives for ever.
  static FileSystem& Posix();
};

}  // namespace larder
