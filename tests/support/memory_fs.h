// A file system in memory that knows what is durable: the bytes that were synced, and the names
// whose directory was synced. PowerCut() leaves only that.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/mutex.h"
#include "tests/support/power_cut.h"

namespace larder {

// Thread-safe. Directories appear durably (as FileSystem promises) and are not removed.
class MemoryFs : public FileSystem {
 public:
  MemoryFs();
  ~MemoryFs() override;

  // Brings the disk to the state after a power cut. Files and locks that are open are dead from now
  // on: every call on them fails with kUnavailable.
  void PowerCut(const PowerCutOptions& options = {});
  // The content of a file as it is now, empty when there is none; and a way to damage it (the bytes
  // are durable at once).
  std::string Content(const std::string& path);
  void SetContent(const std::string& path, std::string bytes);
  void SetSpace(DiskSpace space);

  Result<std::unique_ptr<AppendFile>> CreateFile(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> OpenFile(const std::string& path) override;
  Result<std::string> Read(const std::string& path, uint64_t offset, uint64_t size_bytes) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& directory) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& directory) override;
  Result<DiskSpace> Space(const std::string& directory) override;
  Status Allocate(const std::string& path, uint64_t size_bytes) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

 private:
  struct State;
  class File;
  class Lease;

  const std::shared_ptr<State> state_;  // shared with files and locks, which may outlive us
};

}  // namespace larder
