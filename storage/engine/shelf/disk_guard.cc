#include "storage/engine/shelf/disk_guard.h"

#include <algorithm>
#include <utility>

#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint64_t kLookEveryNs = 100'000'000;
constexpr uint64_t kReserveBytesMax = 64ull << 20;
constexpr uint64_t kLowWaterBytesMax = 128ull << 20;

uint64_t ReserveBytes(const DiskSpace& space) {
  return std::min(kReserveBytesMax, space.total_bytes / 100);
}
// Room for what is acknowledged already: two heads sealed, a journal's next groups.
uint64_t LowWaterBytes(const DiskSpace& space) {
  return std::min(kLowWaterBytesMax, space.total_bytes / 20);
}
uint64_t HighWaterBytes(const DiskSpace& space) {
  return LowWaterBytes(space) + LowWaterBytes(space) / 2;
}

}  // namespace

DiskGuard::DiskGuard(FileSystem* file_system, Clock* clock, std::string directory,
                     std::string reserve_path)
    : file_system_(file_system),
      clock_(clock),
      directory_(std::move(directory)),
      reserve_path_(std::move(reserve_path)) {
  RestoreReserve();
}

void DiskGuard::Look() {
  const uint64_t now_ns = clock_->MonotonicNanos();
  if (looked_monotonic_ns_ != 0 && now_ns - looked_monotonic_ns_ < kLookEveryNs) return;
  looked_monotonic_ns_ = std::max<uint64_t>(now_ns, 1);
  const auto space = file_system_->Space(directory_);
  if (!space.ok()) return;  // what cannot be measured does not stop ingest
  space_ = *space;
  if (space_.free_bytes < LowWaterBytes(space_) && !refusing_) {
    refusing_ = true;
    Log(LogLevel::kError, "the disk is nearly full; spans are refused until there is space",
        {{"directory", directory_}, {"free_bytes", space_.free_bytes}});
  } else if (space_.free_bytes >= HighWaterBytes(space_) && refusing_) {
    refusing_ = false;
    Log(LogLevel::kInfo, "the disk has space again; spans are taken",
        {{"directory", directory_}, {"free_bytes", space_.free_bytes}});
  }
}

uint64_t DiskGuard::RoomBytes() const {
  const auto space = file_system_->Space(directory_);
  if (!space.ok()) return UINT64_MAX;
  return space->free_bytes - std::min(space->free_bytes, HighWaterBytes(*space));
}

Status DiskGuard::CheckIngest() {
  MutexLock lock(mu_);
  Look();
  if (!refusing_) return Status::Ok();
  return Status::ResourceExhausted("the disk of " + directory_ + " is full (" +
                                   std::to_string(space_.free_bytes) +
                                   " bytes free): free space on it, or lower the disk cap");
}

void DiskGuard::NoteFull() {
  MutexLock lock(mu_);
  refusing_ = true;
}

bool DiskGuard::is_full() {
  MutexLock lock(mu_);
  Look();
  return refusing_;
}

bool DiskGuard::ReleaseReserve() {
  if (!file_system_->Exists(reserve_path_)) return false;
  Log(LogLevel::kWarning, "the disk is full; giving the reserve back", {{"file", reserve_path_}});
  return file_system_->Remove(reserve_path_).ok();
}

void DiskGuard::RestoreReserve() {
  const auto space = file_system_->Space(directory_);
  if (!space.ok()) return;
  const uint64_t reserve_bytes = ReserveBytes(*space);
  const auto size = file_system_->FileSize(reserve_path_);
  if (size.ok() && *size == reserve_bytes) return;
  if (space->free_bytes < HighWaterBytes(*space) + 2 * reserve_bytes) return;
  const Status made = file_system_->Allocate(reserve_path_, reserve_bytes);
  if (!made.ok()) {
    Log(LogLevel::kWarning, "no space could be reserved for a full disk",
        {{"file", reserve_path_}, {"reason", made.ToString()}});
  }
}

Result<uint64_t> DefaultDiskCap(FileSystem* file_system, const std::string& directory,
                                uint64_t own_bytes) {
  LARDER_ASSIGN_OR_RETURN(const DiskSpace space, file_system->Space(directory));
  const uint64_t kept_free = space.total_bytes / 10;
  const uint64_t room = space.free_bytes > kept_free ? space.free_bytes - kept_free : 0;
  return own_bytes + std::max(room, space.free_bytes / 2);
}

}  // namespace larder
