// Plans of leaves over what every span has: duration, start, trace id. Each sets the whole plan but
// for the parts that only attributes use.
#pragma once

#include "storage/base/status.h"
#include "storage/segment/search/leaf_plan.h"

namespace larder {

// All: kDataLoss, kUnavailable when the index cannot be read.
Status PlanDurationLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan);
Status PlanStartLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan);
// Equal to a trace id, or one of a list: a look-up each. Anything else is left to the rows.
Status PlanTraceIdLeaf(const SegmentColumns& columns, const FilterLeaf& leaf, LeafPlan* plan);

}  // namespace larder
