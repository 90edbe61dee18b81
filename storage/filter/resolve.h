// From a filter as it is written to the tree that is evaluated. FILTER.md has the rules.
#pragma once

#include "storage/base/status.h"
#include "storage/filter/expression.h"
#include "storage/model/filter.h"

namespace larder {

// Checks a filter by every rule of RFC 0005 and of this store's limits (expression.h), gives its
// constants the types of what they stand beside, and turns comparisons so that a reference stands
// on the left. kInvalidArgument: what is wrong, and where ("filter.args[1]: ..."). A pattern that
// is no regular expression is refused here too, so that SpanFilter::Compile takes whatever this
// returns. Bounded in depth, whatever it is given; thread-safe.
Result<FilterNode> ResolveFilter(const CallExpression& filter);

}  // namespace larder
