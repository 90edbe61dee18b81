// What a kSome step says of a span as a whole, so that searchers look at few spans one by one.
#pragma once

#include <vector>

#include "storage/model/table/span_filter.h"

namespace larder {

// Sets `whole` and `whole_is_exact` of a kSome step whose condition lies in `steps`, and appends
// the steps that takes. Every span that satisfies `some` satisfies `whole`, in which no event or
// link is bound: the values of one are among the span's, so that a positive leaf that holds for one
// holds for the span; what is negated over them may not, and is left out.
void AddWhole(const std::vector<FilterLeaf>& leaves, FilterStep* some,
              std::vector<FilterStep>* steps);

}  // namespace larder
