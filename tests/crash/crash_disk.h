// The disk of a store under test: RocksDB's files and our own, with one fault at a chosen call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/kv/file_hooks.h"
#include "tests/support/faulty_fs.h"

namespace larder {

// Over the real disk. Thread-safe. Hand `files()` to StoreOptions::file_system and the object
// itself to StoreOptions::kv_hooks.
class CrashDisk : public KvFileHooks {
 public:
  CrashDisk();
  ~CrashDisk() override;

  FaultyFs* files() { return &files_; }
  // Calls that changed something, of RocksDB and of the rest, counted from 0.
  uint64_t kv_calls();
  uint64_t file_calls() { return files_.calls(); }

  // The power goes at call `n` of RocksDB, or of the rest: from then on everything fails.
  void CutPowerAtKvCall(uint64_t n);
  void CutPowerAtFileCall(uint64_t n);
  // Call `n` of RocksDB, or of the rest, fails once with `error`.
  void FailKvCall(uint64_t n, Status error);
  void FailFileCall(uint64_t n, Status error) { files_.FailAt(n, std::move(error)); }
  // From call `n` of RocksDB on, every append fails as on a full disk, until Heal.
  void FillAtKvCall(uint64_t n);

  // Drops what was not synced: bytes, names of new files, renames. REQUIRES: the store is closed.
  void DropUnsynced();
  // Takes all faults back.
  void Heal();

  Status Before(const KvFileEvent& event) override;
  void After(const KvFileEvent& event) override;

 private:
  struct File {
    uint64_t size_bytes = 0;
    uint64_t synced_bytes = 0;
  };
  // A new name whose directory was not synced.
  struct Name {
    std::string path = {};
    std::string renamed_from = {};              // empty: created or linked
    std::optional<std::string> old_bytes = {};  // what lay under the name before
  };

  bool PowerIsOff() REQUIRES(mu_);

  FaultyFs files_;
  Mutex mu_;
  uint64_t calls_ GUARDED_BY(mu_) = 0;
  uint64_t cut_at_ GUARDED_BY(mu_) = UINT64_MAX;
  uint64_t fail_at_ GUARDED_BY(mu_) = UINT64_MAX;
  uint64_t full_from_ GUARDED_BY(mu_) = UINT64_MAX;
  Status failure_ GUARDED_BY(mu_);
  bool power_is_off_ GUARDED_BY(mu_) = false;
  std::map<std::string, File> written_ GUARDED_BY(mu_);
  std::vector<Name> unsynced_names_ GUARDED_BY(mu_);
  std::map<std::string, std::string> replaced_ GUARDED_BY(mu_);  // by a rename that is on its way
};

}  // namespace larder
