// Opening a data directory from a verb: the store, or the exit code that tells scripts why not.
#pragma once

#include <memory>
#include <string>

#include "plugin/settings/settings.h"
#include "storage/base/status.h"
#include "storage/engine/store.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options);

// Makes the store of `settings` use the cold tier that they name, which must outlive it; null when
// there is none.
Result<std::unique_ptr<ColdTier>> UseTier(Settings* settings);
// With threads for queries that wait for the tier, so that they take none from the others.
ServerOptions ServerOptionsOf(const Settings& settings);

// The same, for reading only, for a directory that must hold a store already: kNotFound when it
// does not.
Result<std::unique_ptr<Store>> OpenExistingStore(const std::string& directory);

// ExitCode of a failed Store::Open.
int ExitCodeOfOpen(const Status& status);

}  // namespace larder
