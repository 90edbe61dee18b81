#include "plugin/calls/stream_query.h"

#include <utility>

#include "plugin/calls/forwarded_call.h"
#include "plugin/wire/byte_buffer.h"

namespace larder {

StreamQuery::StreamQuery(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                         const grpc::ByteBuffer& request, Open open)
    : parts_(parts),
      context_(context),
      call_(parts, rpc, context, request),
      open_(std::move(open)) {}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StreamQuery::Start(const ServiceParts& parts, Rpc rpc,
                                                               grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request,
                                                               Open open) {
  if (MustForward(parts)) return ForwardStream(parts, rpc, context, request);
  auto* query = new StreamQuery(parts, rpc, context, *request, std::move(open));  // NOLINT: OnDone
  parts.queries->Submit([query] { query->Begin(); });
  return query;
}

void StreamQuery::Begin() {
  Result<std::unique_ptr<MessageSource>> source = call_.Ask(open_);
  if (!source.ok()) return End(source.status());
  source_ = std::move(source).value();
  Step();
}

void StreamQuery::Step() {
  if (!parts_.streams->Enter([this] { Step(); })) return;
  Result<std::optional<std::string>> next = source_->Next();
  if (!next.ok()) return End(next.status());
  if (!next->has_value()) return End(Status::Ok());
  parts_.streams->WriteBegan(context_, (*next)->size());
  message_ = ToByteBuffer(*std::move(*next));
  StartWrite(&message_);
}

void StreamQuery::OnWriteDone(bool ok) {
  message_.Clear();
  parts_.streams->WriteEnded(context_);
  if (!ok) return End(Status::Cancelled("the client went away"));
  parts_.queries->Submit([this] { Step(); });
}

void StreamQuery::End(const Status& outcome) {
  const std::vector<Gap> gaps = source_ ? source_->gaps() : std::vector<Gap>();
  source_.reset();  // gives its memory back now, whenever gRPC gets round to OnDone
  Finish(call_.End(outcome, gaps));
}

}  // namespace larder
