// Spells an OTLP request in another way that protobuf allows: fields in another order, scalars
// given twice, messages in two pieces, tags and lengths as longer varints; on demand with unknown
// fields added at every level.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/seed.h"

namespace larder {

// `request` must be an OTLP request. Attributes are left as they are (their bytes are data), all
// else around them may change its spelling. Without `add_unknown` it still means the same.
std::string MangleRequest(Random* random, std::string_view request, bool add_unknown);

}  // namespace larder
