#include "plugin/calls/unary_query.h"

#include <utility>

#include "plugin/calls/forwarded_call.h"
#include "plugin/wire/byte_buffer.h"

namespace larder {

UnaryQuery::UnaryQuery(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                       const grpc::ByteBuffer& request, grpc::ByteBuffer* reply, Work work)
    : call_(parts, rpc, context, request), reply_(reply), work_(std::move(work)) {}

grpc::ServerUnaryReactor* UnaryQuery::Start(const ServiceParts& parts, Rpc rpc,
                                            grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* reply, Work work) {
  if (MustForward(parts)) return ForwardUnary(parts, rpc, context, request, reply);
  auto* query =
      new UnaryQuery(parts, rpc, context, *request, reply, std::move(work));  // NOLINT: OnDone
  parts.queries->Submit([query] { query->Run(); });
  return query;
}

void UnaryQuery::Run() {
  Result<UnaryReply> reply = call_.Ask(work_);
  if (!reply.ok()) return Finish(call_.End(reply.status(), {}));
  *reply_ = ToByteBuffer(std::move(reply->message));
  Finish(call_.End(Status::Ok(), reply->gaps));
}

}  // namespace larder
