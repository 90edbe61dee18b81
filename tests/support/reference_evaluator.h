// The filter tree's meaning, written down a second time and as plainly as possible, to test the
// real evaluators against. Shares no code with them but the parsers of constants and the canonical
// text of values, which have tests of their own.
#pragma once

#include "storage/model/filter.h"
#include "storage/model/span.h"

namespace larder {

// REQUIRES: a tree as filter.h describes it, with patterns that RE2 accepts.
bool ReferenceMatches(const FilterNode& filter, const Span& span);

}  // namespace larder
