#include "tiering/open_tier.h"

#include "storage/base/log.h"
#include "tiering/directory/directory_tier.h"
#include "tiering/sls_tier/sls_tier.h"

namespace larder {

Result<std::unique_ptr<ColdTier>> OpenTier(const TierOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckTierOptions(options));
  switch (options.kind) {
    case TierKind::kOff:
      break;
    case TierKind::kDirectory:
      if (const Status status = CheckDirectoryTier({.path = options.directory}); !status.ok()) {
        Log(LogLevel::kWarning, "the tier is away; partitions wait on the local disk",
            {{"why", status.message()}});
      }
      return OpenDirectoryTier({.path = options.directory});
    case TierKind::kSls:
      return OpenSlsTier(options);
  }
  return std::unique_ptr<ColdTier>();
}

ColdPolicy PolicyOf(const TierOptions& options) {
  ColdPolicy policy;
  policy.after_ms = options.after_ms;
  policy.evict_after_ms = options.evict_after_ms;
  policy.retention_ms = options.retention_ms;
  policy.outage_ms_max = options.outage_ms_max;
  policy.bytes_per_second = options.rate_bytes_max;
  policy.read_ms_max = options.read_ms_max;
  return policy;
}

}  // namespace larder
