#include "storage/query/trace_walk.h"

namespace larder {

Result<std::optional<WalkPosition>> TraceWalk::Next() {
  constexpr uint64_t kSeenBytes = sizeof(TraceId) + 4 * sizeof(void*);
  while (left_ > 0) {
    LARDER_ASSIGN_OR_RETURN(const std::optional<WalkMatch> match, walk_.Next());
    if (!match) break;
    if (!seen_.insert(match->trace_id).second) continue;
    LARDER_RETURN_IF_ERROR(memory_.Resize(seen_.size() * kSeenBytes));
    --left_;
    return std::optional<WalkPosition>({match->start_ns, match->trace_id});
  }
  return std::optional<WalkPosition>();
}

}  // namespace larder
