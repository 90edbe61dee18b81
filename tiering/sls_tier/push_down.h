// A filter tree as a search of SLS that finds at least the rows that satisfy it.
//
// SLS compares words without case, at any place of a value: more than equality finds. What it
// cannot say (negations, patterns, existence, order of texts, values with odd characters) is left
// out of an `and`, and makes an `or` say nothing.
#pragma once

#include <string>

#include "storage/model/filter.h"
#include "tiering/sls_tier/sls_index.h"

namespace larder {

// Empty: every row may satisfy the filter. Has no more than kPushedTermsMax terms, of the 30 that
// SLS takes.
inline constexpr int kPushedTermsMax = 20;
std::string PushDown(const FilterNode& filter, const SlsIndex& index);

// "..." with quotes and backslashes escaped.
std::string QuoteTerm(std::string_view text);

}  // namespace larder
