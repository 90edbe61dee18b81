// errno as a Status.
#pragma once

#include <string_view>

#include "storage/base/status.h"

namespace larder {

// "PATH: ACTION: reason", and the cure where there is one. A full disk or quota is
// kResourceExhausted, a missing file kNotFound, every other failure kUnavailable.
Status PosixStatus(std::string_view path, std::string_view action, int error);

}  // namespace larder
