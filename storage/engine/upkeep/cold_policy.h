// When partitions go to the cold tier, leave the local disk, and are forgotten: pure functions of
// what there is, as partition_policy.h. Ages are of the RetentionClock, from when a partition
// closed.
//
// What is sacrificed when the disk cap presses: first copies that were fetched from the tier, the
// one that would go soonest first; then the local copies of uploaded partitions, the oldest first;
// then, when the tier is away for so long, the oldest partition that is not uploaded, for good;
// never an answer to a writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/engine/shelf/shelf.h"
#include "storage/engine/upkeep/tenant_policy.h"

namespace larder {

// The oldest partition that is due to be uploaded, in part or not at all yet. Never the archive,
// nor one of which not every span can be read.
std::optional<PartitionStatus> PickUpload(const std::vector<PartitionStatus>& partitions,
                                          uint64_t age_ns, uint64_t after_ns);

// Whether nothing is lost when the local copy goes: the tier has every row, and what stays can be
// read from it.
bool MayBeEvicted(const PartitionStatus& partition);

// The oldest partition that is uploaded, every row of it; when it is `evict_after_ns` old.
std::optional<uint64_t> PickEvict(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                  uint64_t evict_after_ns);
// While no tier is configured: the oldest of those whose retention here ends. They are found again
// when one is.
std::optional<uint64_t> PickEvictExpired(const std::vector<PartitionStatus>& partitions,
                                         uint64_t age_ns, uint64_t retention_ns,
                                         const LimitsOf& limits);

// Whether the partition has a copy that was fetched, and nothing is lost when it goes: what stays
// of the partition says where in the tier all of its spans are.
bool MayDropCopy(const PartitionStatus& partition);

// Such a copy that is kept until `age_ns` or a time before, of those the one that is kept least.
// With `tier` (ColdTier::identity) only one that can be read from there again.
std::optional<uint64_t> PickCopy(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                 std::string_view tier = {});

struct ColdPick {
  uint64_t partition = 0;
  TenantId tenant = 0;
};
// Spans in the tier that are past their tenant's retention, or else `retention_ns`.
std::optional<ColdPick> PickForgotten(const std::vector<PartitionStatus>& partitions,
                                      uint64_t age_ns, uint64_t retention_ns,
                                      const LimitsOf& limits);

}  // namespace larder
