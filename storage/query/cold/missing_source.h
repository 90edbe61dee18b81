// What could not be reached of a cold part, or is lost, as a source: whoever asks for it fails.
#pragma once

#include <map>
#include <memory>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Has no rows. Looking for one of `traces` answers why it is missing; a search, whatever its range,
// answers `search_why`, unless that is OK.
std::shared_ptr<const SpanSource> MakeMissingSource(std::map<TraceId, Status> traces,
                                                    Status search_why);

}  // namespace larder
