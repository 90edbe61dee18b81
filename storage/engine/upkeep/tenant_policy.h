// What of a tenant is to go before its partitions do: pure functions of what there is, as
// partition_policy.h. A tenant's archive is never among it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "storage/engine/catalog/tenants.h"
#include "storage/engine/shelf/shelf.h"

namespace larder {

using LimitsOf = std::function<TenantLimits(TenantId)>;

// How long a partition is kept: as long as the longest retention among the tenants in it.
uint64_t PartitionRetentionNs(const PartitionStatus& partition, uint64_t store_retention_ns,
                              const LimitsOf& limits);

// Segments of one tenant that are past its own retention (of closed partitions; `age_ns` is now by
// the RetentionClock), or the oldest of a tenant that is above its quota; of those the newest
// always stays. Copies that were fetched from the cold tier do not count. With `spares_uploaded`
// the store's own retention takes nothing from partitions that may be evicted instead
// (cold_policy.h). Segments that name one of `journals` wait until that journal is gone: they keep
// it from being replayed.
std::vector<SegmentPick> PickForTenant(const std::vector<PartitionStatus>& partitions,
                                       uint64_t age_ns, uint64_t store_retention_ns,
                                       const LimitsOf& limits, const std::set<uint64_t>& journals,
                                       bool spares_uploaded = false);

}  // namespace larder
