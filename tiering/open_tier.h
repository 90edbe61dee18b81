// The cold tier that the settings name.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "storage/engine/store.h"
#include "storage/query/cold/cold_tier.h"
#include "tiering/tier_options.h"

namespace larder {

// Null when the tier is off. kInvalidArgument, kFailedPrecondition: a setting is wrong.
Result<std::unique_ptr<ColdTier>> OpenTier(const TierOptions& options);

// When partitions go there.
ColdPolicy PolicyOf(const TierOptions& options);

}  // namespace larder
