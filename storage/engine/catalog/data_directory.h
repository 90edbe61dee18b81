// The data directory: where what lies, who owns it, and of which format it is.
//
//   LOCK        held by the process that owns the directory, with its pid
//   OWNER.sock  where the owner serves other processes; the server's, not the store's
//   FORMAT      "larder 1": the format version (catalog.h), readable before anything else is
//   touched RESERVE     space held back for a full disk journal/    one file per generation db/
//   RocksDB set-aside/  journals that were damaged
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/catalog.h"

namespace larder {

class DataDirectory {
 public:
  // Takes the lock alone, for an owner that has something to do before it opens; creates the
  // directory when it is missing. Fails as Open does.
  static Result<std::shared_ptr<FileLock>> Lock(FileSystem* file_system, const std::string& path);
  // Creates what is missing and takes the lock, unless the caller has taken it (`held` not null).
  // kAlreadyExists: another process owns it; kFailedPrecondition: a newer program wrote it;
  // kUnavailable, kResourceExhausted: it cannot be written.
  static Result<std::unique_ptr<DataDirectory>> Open(FileSystem* file_system,
                                                     const std::string& path,
                                                     std::shared_ptr<FileLock> held = nullptr);
  // For reading only: creates nothing but the lock of a directory that is a store's. It is held
  // when it can be, so that no other process changes what is read. kAlreadyExists,
  // kFailedPrecondition: as above.
  static Result<std::unique_ptr<DataDirectory>> OpenReadOnly(
      FileSystem* file_system, const std::string& path, std::shared_ptr<FileLock> held = nullptr);

  const std::string& path() const { return path_; }
  std::string journal_path() const { return path_ + "/journal"; }
  std::string db_path() const { return path_ + "/db"; }
  std::string reserve_path() const { return path_ + "/RESERVE"; }

  // As the file FORMAT has it.
  uint32_t format_version() const { return format_version_; }
  // Nothing to do for a version that it has, or has passed.
  Status RaiseFormat(uint32_t version);

  // Moves a damaged journal out of the way, or removes it when moving fails.
  void SetAsideJournal(const std::string& file_name);

 private:
  DataDirectory(FileSystem* file_system, std::string path, std::shared_ptr<FileLock> held);
  std::string lock_path() const { return path_ + "/LOCK"; }
  Status TakeLock();
  // Says nothing of a format that is torn: whoever waits for the lock asks ten times a second.
  Status CheckFormat();
  // As format_version() says, unless the file says so.
  Status WriteFormat();

  FileSystem* const file_system_;
  const std::string path_;
  std::shared_ptr<FileLock> lock_;
  uint32_t format_version_ = kFormatVersionFirst;
};

// In the file and in the catalog, in this order: so an older program has not touched anything when
// it finds out.
Status RaiseFormat(DataDirectory* directory, Catalog* catalog, uint32_t version);

}  // namespace larder
