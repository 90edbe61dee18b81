// A filter tree as a caller may write it: what ResolveFilter must read back to the same meaning,
// written down from the RFC's side and with none of its code.
#pragma once

#include "storage/filter/expression.h"
#include "storage/model/filter.h"
#include "tests/support/seed.h"

namespace larder {

// One of the many ways to say it, picked at random: constants on either side, typed or not where
// both mean the same, durations in any unit, times of any zone. REQUIRES: a tree of FilterGenerator
// with only_structured.
CallExpression WriteExpression(const FilterNode& filter, Random* random);

}  // namespace larder
