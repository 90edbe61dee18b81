// Calls whose request and reply have the same fields in jaeger.storage.v1 and in jaeger.storage.v2.
#pragma once

#include "plugin/calls/unary_query.h"

namespace larder {

// All are UnaryQuery::Work.
Result<UnaryReply> AnswerServices(const Question& asked);
Result<UnaryReply> AnswerDependencies(const Question& asked);

}  // namespace larder
