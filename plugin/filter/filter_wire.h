// Reads the structured filter of a search from its wire bytes (jaeger.expression.v1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/filter/expression.h"
#include "storage/model/filter.h"

namespace larder {

// Decodes the message Call as protobuf does: unknown fields are skipped, of a oneof the last member
// counts. kInvalidArgument: broken protobuf, or more than the limits of expression.h allow. What it
// returns takes memory in proportion to those limits, whatever the bytes are.
Result<CallExpression> DecodeFilter(std::string_view call);

// The same for one message Expression, which must have a term.
Result<Expression> DecodeExpression(std::string_view expression);

// Adds the bytes of one more occurrence of a filter that should come once: protobuf merges them,
// which is to read them as one message. kInvalidArgument above kFilterBytesMax.
Status AppendFilter(std::string_view call, std::optional<std::string>* filter);

// As DecodeFilter, then ResolveFilter. An empty message is a filter without an operator, and
// refused.
Result<FilterNode> ParseFilter(std::string_view call);

}  // namespace larder
