// Call units: the parts of a View that know their own calls between services exactly: an index with
// all its segments, or a segment that no index covers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/index/partition_index.h"
#include "storage/query/view.h"
#include "storage/segment/segment.h"

namespace larder {

struct CallUnit {
  uint64_t id = 0;                              // of the index or the segment
  std::shared_ptr<const PartitionIndex> index;  // null: one segment
  std::vector<uint32_t> entries;                // of View::entries; in the index's order

  std::string Name(const View& view) const;
};

// The units of a tenant, by arrival. An index of `broken`, or with a segment that the View does not
// have, is left out: its segments are units.
std::vector<CallUnit> MakeCallUnits(const View& view, TenantId tenant,
                                    const std::unordered_set<uint64_t>& broken);

// Which entries of the View are of the units.
std::vector<bool> EntriesOf(const View& view, const std::vector<CallUnit>& units);

// Appends the calls within the unit. Views live as long as its index and segments.
Status ReadEdges(const View& view, const CallUnit& unit, std::vector<EdgeCount>* edges);

}  // namespace larder
