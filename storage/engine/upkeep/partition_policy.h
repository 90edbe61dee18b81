// What is to be done with partitions next: pure functions of what there is. The maintenance thread
// does it (maintenance.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/engine/shelf/shelf.h"
#include "storage/engine/upkeep/tenant_policy.h"

namespace larder {

// Segments below this are small: a head that was sealed for another reason than its size.
inline constexpr uint32_t kSmallSegmentRowsMax = 32'768;
// A merge has no more rows than this. Their bytes are bounded where it is made.
inline constexpr uint64_t kMergeRowsMax = 131'072;
// Small segments wait until so many of a like size are there, or until their partition closes.
inline constexpr size_t kMergeSegmentsMin = 16;

// Small segments of one tenant to be merged, size-tiered: those whose row counts have the same
// power of sixteen. So a span is rewritten at most once for each power below kSmallSegmentRowsMax,
// and once more when its partition closes; at a full rate of spans never.
std::optional<SegmentPick> PickMerge(const std::vector<PartitionStatus>& partitions);

// Segments of an open partition that are as they will stay and have no index yet: as many as share
// one (kIndexGroupSegments).
std::optional<SegmentPick> PickIndex(const std::vector<PartitionStatus>& partitions);

// A partition that is full and waits for nothing.
std::optional<uint64_t> PickClose(const std::vector<PartitionStatus>& partitions);

// A partition that an earlier attempt did not finish to drop, or whose last span is older than
// `retention_ns`, or than the longest retention of the tenants in it. With `spares_uploaded` not
// one that may be evicted instead (cold_policy.h).
std::optional<uint64_t> PickExpired(const std::vector<PartitionStatus>& partitions, uint64_t age_ns,
                                    uint64_t retention_ns, const LimitsOf& limits,
                                    bool spares_uploaded = false);

// The oldest partition but the archive's, when all together are above the cap. It may still be
// open: then it is to be marked full, closed, and only then dropped.
std::optional<PartitionStatus> PickForSpace(const std::vector<PartitionStatus>& partitions,
                                            uint64_t used_bytes, uint64_t cap_bytes);

}  // namespace larder
