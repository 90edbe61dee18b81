// A segment that cannot be opened: asked for anything, it says why. So a query that would have
// looked into it names the gap, and everything else is served.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "storage/segment/source/span_source.h"

namespace larder {

std::shared_ptr<const SpanSource> MakeBrokenSource(Status why);

}  // namespace larder
