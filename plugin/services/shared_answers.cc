#include "plugin/services/shared_answers.h"

#include <utility>

#include "plugin/services/replies.h"
#include "plugin/services/requests.h"

namespace larder {

Result<UnaryReply> AnswerServices(const Question& asked) {
  LARDER_ASSIGN_OR_RETURN(Answer<std::string> answer,
                          asked.store.Services(asked.tenant, asked.limits));
  return UnaryReply{EncodeServices(answer.values), std::move(answer.gaps)};
}

Result<UnaryReply> AnswerDependencies(const Question& asked) {
  LARDER_ASSIGN_OR_RETURN(const TimeRange range, ParseGetDependencies(asked.request));
  LARDER_ASSIGN_OR_RETURN(Answer<Dependency> answer,
                          asked.store.Dependencies(asked.tenant, range, asked.limits));
  return UnaryReply{EncodeDependencies(answer.values), std::move(answer.gaps)};
}

}  // namespace larder
