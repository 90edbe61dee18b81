// Reads the structured filter of a search from its wire bytes (jaeger.expression.v1).
#pragma once

#include <string_view>

#include "storage/base/status.h"
#include "storage/filter/expression.h"
#include "storage/model/filter.h"

namespace larder {

// Decodes the message Call as protobuf does: unknown fields are skipped, of a oneof the last member
// counts. kInvalidArgument: broken protobuf, or more than the limits of expression.h allow. What it
// returns takes memory in proportion to those limits, whatever the bytes are.
Result<CallExpression> DecodeFilter(std::string_view call);

// The same, then ResolveFilter. An empty message is a filter without an operator, and refused.
Result<FilterNode> ParseFilter(std::string_view call);

}  // namespace larder
