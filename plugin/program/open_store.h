// Opening a data directory from a verb: the store, or the exit code that tells scripts why not.
#pragma once

#include <memory>
#include <string>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder {

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options);

// The same, for reading only, for a directory that must hold a store already: kNotFound when it
// does not.
Result<std::unique_ptr<Store>> OpenExistingStore(const std::string& directory);

// ExitCode of a failed Store::Open.
int ExitCodeOfOpen(const Status& status);

}  // namespace larder
