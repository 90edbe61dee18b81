// A file system that fails when told to, over a MemoryFs or over the real disk.
//
// Every call that changes something is counted: create, open for writing, append, sync, truncate,
// remove, rename, directory sync, directory creation, allocate. A crash test runs its scenario once
// to learn the count, then once for every n with a fault at call n:
//
//   FaultyFs fs(&memory_fs);
//   fs.CutPowerAt(n);
//   RunScenario(&fs);       // from call n on everything fails
//   memory_fs.PowerCut();   // over the real disk: fs.PowerCut()
//   fs.Heal();
//   CheckWhatIsLeft(&fs);
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/mutex.h"
#include "tests/support/power_cut.h"

namespace larder {

// Thread-safe. `base` must outlive it, and it must outlive its files.
class FaultyFs : public FileSystem {
 public:
  explicit FaultyFs(FileSystem* base);
  ~FaultyFs() override;

  // Counted from 0, since construction or the last ResetCount.
  uint64_t calls() const;
  void ResetCount();

  // Call `n` fails with `error` and does nothing; the calls after it work again.
  void FailAt(uint64_t n, Status error);
  // Call `n`, if it is an append, writes half its bytes before it fails.
  void TearAt(uint64_t n, Status error);
  // Call `n` and everything after it fails, reads too. An append at `n` writes half its bytes.
  void CutPowerAt(uint64_t n);
  // The disk has room for `bytes` more; appends write what fits and fail with kResourceExhausted.
  // Removed and truncated files give their bytes back. Space() tells the truth about it.
  void SetSpaceLeft(uint64_t bytes);
  // Reads that touch bytes [offset, offset + size) of `path` fail with kUnavailable, as a bad
  // sector does.
  void SetUnreadable(const std::string& path, uint64_t offset, uint64_t size);
  // Takes all faults back.
  void Heal();

  // Over the real disk, for tests whose other files are real: drops what was written through this
  // object and not synced, and files created whose directory was not synced. Unsynced removals and
  // renames are not undone. REQUIRES: no file is open.
  void PowerCut(const PowerCutOptions& options = {});

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
  class File;

  // Counts a call; the Status with which it is to fail, or OK. `tear`: half of it is to be done.
  Status Count(bool* tear = nullptr) EXCLUDES(mu_);
  Status CheckPower() EXCLUDES(mu_);
  // Takes up to `wanted` bytes from the room that is left and returns how many there were.
  uint64_t TakeSpace(uint64_t wanted) EXCLUDES(mu_);
  void GiveSpace(uint64_t bytes) EXCLUDES(mu_);
  void NoteSynced(const std::string& path, uint64_t size_bytes) EXCLUDES(mu_);

  FileSystem* const base_;
  mutable Mutex mu_;
  uint64_t calls_ GUARDED_BY(mu_) = 0;
  uint64_t fault_at_ GUARDED_BY(mu_) = UINT64_MAX;
  bool fault_tears_ GUARDED_BY(mu_) = false;
  bool fault_is_power_ GUARDED_BY(mu_) = false;
  bool power_is_off_ GUARDED_BY(mu_) = false;
  Status fault_ GUARDED_BY(mu_);
  uint64_t space_left_ GUARDED_BY(mu_) = UINT64_MAX;
  std::string unreadable_path_ GUARDED_BY(mu_);
  uint64_t unreadable_from_ GUARDED_BY(mu_) = 0;
  uint64_t unreadable_until_ GUARDED_BY(mu_) = 0;
  std::map<std::string, uint64_t> synced_bytes_ GUARDED_BY(mu_);  // of files written through us
  std::set<std::string> unsynced_names_ GUARDED_BY(mu_);          // created, directory not synced
};

}  // namespace larder
