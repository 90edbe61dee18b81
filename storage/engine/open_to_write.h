// Opening a store by one who must write, as the next owner of a shared data directory.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder {

// As Store::Open, but a store that cannot be opened for writing is not opened to be read: then it
// fails with what is in the way. A full disk alone is not: such a store refuses spans until space
// is free.
Result<std::unique_ptr<Store>> OpenToWrite(const StoreOptions& options);

}  // namespace larder
