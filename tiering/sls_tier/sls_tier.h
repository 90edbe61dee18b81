// The cold tier in a Logstore of Alibaba Cloud SLS. tiering/SLS.md says how a span lies there.
//
// Packs become groups of logs, each with its name in the tag __pack_id__; every group has the tag
// larder_scope, by which stores, partitions and tenants are told apart. Spans that are too old for
// SLS are filed under the time of their upload, in groups of a topic of their own.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "storage/query/cold/cold_tier.h"
#include "tiering/sls/sls_client.h"
#include "tiering/tier_options.h"

namespace larder {

// `clock` is that of the limits, and must outlive the tier.
std::unique_ptr<ColdTier> MakeSlsTier(TierOptions options, std::unique_ptr<SlsClient> client,
                                      Clock* clock = &Clock::System());
// Over the network. Checks the configuration (sls_check.h), and makes what is missing if it says
// so; a step that fails is returned, but not that SLS is away, which is logged.
Result<std::unique_ptr<ColdTier>> OpenSlsTier(const TierOptions& options);

}  // namespace larder
