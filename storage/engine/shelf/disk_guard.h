// DiskGuard: keeps the disk from running full under us, and space in hand for when it does.
//
// A reserve file holds real blocks. Ingest is refused below the low-water mark of free space and
// taken up again above the high-water mark, so that it does not flutter.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/file_system.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"

namespace larder {

// Thread-safe.
class DiskGuard {
 public:
  // `file_system` and `clock` must outlive it. The reserve is made if there is room for it.
  DiskGuard(FileSystem* file_system, Clock* clock, std::string directory, std::string reserve_path);

  // OK when spans may be taken; kResourceExhausted, with the cure, when the disk is too full. Looks
  // at the disk ten times a second at most.
  Status CheckIngest();
  // The disk was full for one of our writes: ingest is refused until there is space again.
  void NoteFull();
  bool is_full();
  // What can be written before ingest would be refused: for copies, which can wait. UINT64_MAX when
  // that cannot be told.
  uint64_t RoomBytes() const;
  // Gives the reserve back to the disk; false when there was none.
  bool ReleaseReserve();
  // Makes the reserve again when there is plenty of room.
  void RestoreReserve();

 private:
  void Look() REQUIRES(mu_);

  FileSystem* const file_system_;
  Clock* const clock_;
  const std::string directory_;
  const std::string reserve_path_;

  Mutex mu_;
  uint64_t looked_monotonic_ns_ GUARDED_BY(mu_) = 0;
  DiskSpace space_ GUARDED_BY(mu_);
  bool refusing_ GUARDED_BY(mu_) = false;
};

// What may be held on disk when the operator set no cap: such that 10% of the disk stays free, but
// at least half of what is free now, `own_bytes` being ours already.
Result<uint64_t> DefaultDiskCap(FileSystem* file_system, const std::string& directory,
                                uint64_t own_bytes);

}  // namespace larder
