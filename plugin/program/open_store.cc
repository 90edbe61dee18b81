#include "plugin/program/open_store.h"

#include "plugin/program/commands.h"
#include "storage/base/file_system.h"
#include "storage/query/cold/cold_fetch.h"
#include "tiering/open_tier.h"

namespace larder {

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options) {
  return Store::Open(options);
}

Result<std::unique_ptr<ColdTier>> UseTier(Settings* settings) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ColdTier> tier, OpenTier(settings->tier));
  if (tier == nullptr) return tier;
  settings->store.tier = tier.get();
  settings->store.cold = PolicyOf(settings->tier);
  return tier;
}

ServerOptions ServerOptionsOf(const Settings& settings) {
  ServerOptions options = settings.server;
  if (settings.store.tier != nullptr) options.query_threads += ColdOptions().waiting_max;
  return options;
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
