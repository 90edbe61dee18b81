#include "plugin/open_store.h"

#include <cstdint>

#include "plugin/commands.h"
#include "storage/base/file_system.h"

namespace larder {
namespace {

constexpr uint64_t kHundredYearsMs = 100ull * 365 * 24 * 3600 * 1000;

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options) {
  return Store::Open(options);
}

Result<std::unique_ptr<Store>> OpenExistingStore(const std::string& directory) {
  const auto names = FileSystem::Posix().List(directory);
  if (!names.ok() || names->empty()) {
    return Status::NotFound(directory + " holds no store; name the directory given to serve");
  }
  // The limits that serve was given are not known here: a look must not drop what they would keep.
  return OpenStore(
      {.data_dir = directory, .retention_ms = kHundredYearsMs, .disk_bytes_max = UINT64_MAX});
}

int ExitCodeOfOpen(const Status& status) {
  switch (status.code()) {
    case StatusCode::kFailedPrecondition:
      return kExitNewerFormat;
    case StatusCode::kAlreadyExists:
      return kExitLiveOwner;
    case StatusCode::kUnavailable:
    case StatusCode::kResourceExhausted:
    case StatusCode::kPermissionDenied:
      return kExitNotWritable;
    default:
      return kExitFailure;
  }
}

}  // namespace larder
