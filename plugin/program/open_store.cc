#include "plugin/program/open_store.h"

#include "plugin/program/commands.h"
#include "storage/base/file_system.h"

namespace larder {

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options) {
  return Store::Open(options);
}

Result<std::unique_ptr<Store>> OpenExistingStore(const std::string& directory) {
  if (!FileSystem::Posix().Exists(directory + "/db")) {
    return Status::NotFound(directory + " holds no store; name the directory given to serve");
  }
  // The settings that serve was given are not known here, and its retention least of all.
  return OpenStore({.data_dir = directory, .read_only = true});
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
