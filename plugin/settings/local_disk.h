// What must hold of a data directory before the store looks into it.
#pragma once

#include <string>

#include "storage/base/status.h"

namespace larder {

// kFailedPrecondition when the directory (or, when it is not there yet, the one it will be created
// in) lies on a network file system: locks and syncs do not mean there what the journal needs them
// to mean. The message names the kind and the cure.
Status CheckLocalDisk(const std::string& directory);

}  // namespace larder
