#include "storage/model/ids.h"

#include "storage/base/hash.h"

namespace larder {

uint64_t TraceIdHash(const TraceId& id) { return Hash64(id.view()); }

}  // namespace larder
