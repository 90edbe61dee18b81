#include "plugin/services/small_services.h"

#include "plugin/calls/grpc_status.h"
#include "plugin/calls/unary_query.h"
#include "plugin/security/grpc_metadata.h"
#include "plugin/services/replies.h"
#include "plugin/services/shared_answers.h"
#include "plugin/wire/byte_buffer.h"

namespace larder {

grpc::ServerUnaryReactor* DependencyReaderService::GetDependencies(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* reply) {
  return UnaryQuery::Start(parts_, Rpc::kGetDependencies, context, request, reply,
                           AnswerDependencies);
}

grpc::ServerUnaryReactor* CapabilitiesService::GetCapabilities(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* /*request*/,
                                                               grpc::ByteBuffer* reply) {
  parts_.metrics->Started(Rpc::kGetCapabilities);
  // Jaeger asks when it starts, for nobody.
  const Result<Caller> caller = parts_.guard->Admit(GrpcMetadata(*context), Access::kNone);
  if (caller.ok()) *reply = ToByteBuffer(EncodeCapabilities());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(caller.status()));
  parts_.metrics->Ended(Rpc::kGetCapabilities, caller.status().code(), 0);
  return reactor;
}

}  // namespace larder
