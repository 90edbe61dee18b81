#include "plugin/calls/unary_query.h"

#include <utility>

#include "plugin/wire/byte_buffer.h"

namespace larder {

UnaryQuery::UnaryQuery(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                       grpc::ByteBuffer* reply, Work work)
    : call_(parts, rpc, context), reply_(reply), work_(std::move(work)) {}

UnaryQuery* UnaryQuery::Start(const ServiceParts& parts, Rpc rpc,
                              grpc::CallbackServerContext* context, grpc::ByteBuffer* reply,
                              Work work) {
  auto* query = new UnaryQuery(parts, rpc, context, reply, std::move(work));  // NOLINT: OnDone
  parts.queries->Submit([query] { query->Run(); });
  return query;
}

void UnaryQuery::Run() {
  const Result<Store*> store = call_.Admit();
  if (!store.ok()) return Finish(call_.End(store.status(), {}));
  Result<UnaryReply> reply = work_(**store, call_.caller(), call_.limits());
  if (!reply.ok()) return Finish(call_.End(reply.status(), {}));
  *reply_ = ToByteBuffer(std::move(reply->message));
  Finish(call_.End(Status::Ok(), reply->gaps));
}

}  // namespace larder
