#include "plugin/services/export_service.h"

#include <utility>

#include "plugin/calls/forwarded_call.h"
#include "plugin/calls/grpc_status.h"
#include "plugin/security/grpc_metadata.h"
#include "plugin/services/replies.h"
#include "plugin/wire/byte_buffer.h"

namespace larder {
namespace {

constexpr uint32_t kRetryDefaultMs = 1000;
constexpr uint32_t kOverloadRetryMs = 200;

// Deletes itself when gRPC is done with it, which is after the store answered: a client that goes
// away does not take back what it sent.
class ExportCall final : public grpc::ServerUnaryReactor {
 public:
  ExportCall(const ServiceParts& parts, grpc::CallbackServerContext* context,
             grpc::ByteBuffer* reply)
      : parts_(parts),
        context_(context),
        reply_(reply),
        started_ns_(parts.clock->MonotonicNanos()) {
    parts_.metrics->Started(Rpc::kExport);
  }

  void Begin(const grpc::ByteBuffer* request) {
    const Result<Caller> caller = parts_.guard->Admit(GrpcMetadata(*context_), Access::kWrite);
    if (!caller.ok()) return Refuse(caller.status(), 0);
    const Result<Store*> store = parts_.gate->Get();
    if (!store.ok()) return Refuse(store.status(), kGateRetryMs);
    // Before the bytes are copied, so that a flood is refused for the price of its reception.
    held_bytes_ = request->Length();
    if (!parts_.exports->Take(held_bytes_)) {
      held_bytes_ = 0;
      return Refuse(Status::ResourceExhausted("too many spans are waiting to be written"),
                    kOverloadRetryMs);
    }
    Result<MessageBytes> bytes = TakeRequest(request, parts_.request_bytes_max);
    if (!bytes.ok()) return Refuse(bytes.status(), 0);
    (*store)->WriteAsync(
        {.tenant = caller->tenant, .otlp = bytes->view, .owner = bytes->owner},
        [this](WriteResult result) {
          parts_.replies->Submit([this, result = std::move(result)] { Answer(result); });
        });
  }

  void OnDone() override { delete this; }

 private:
  ~ExportCall() override = default;
  // gRPC then ends the call where it is instead of handing it to one more thread; what runs there
  // (OnCancel, OnDone) is short.
  bool InternalInlineable() override { return true; }

  void Refuse(const Status& status, uint32_t retry_after_ms) {
    WriteResult refused;
    refused.status = status;
    refused.retry_after_ms = retry_after_ms;
    End(refused);
  }

  // What the store says.
  void Answer(const WriteResult& result) {
    if (result.status.code() == StatusCode::kUnavailable) {
      context_->AddTrailingMetadata(kAnsweredTrailer, "1");
    }
    End(result);
  }

  void End(const WriteResult& result) {
    parts_.exports->Give(held_bytes_);
    const StatusCode code = result.status.code();
    parts_.metrics->Ended(Rpc::kExport, code, parts_.clock->MonotonicNanos() - started_ns_);
    if (result.status.ok()) {
      *reply_ = ToByteBuffer(EncodeExportReply(result));
      return Finish(grpc::Status::OK);
    }
    // OTLP clients give up on RESOURCE_EXHAUSTED unless they are told when to come again.
    const bool retryable =
        code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
    const uint32_t retry_ms = result.retry_after_ms > 0 ? result.retry_after_ms : kRetryDefaultMs;
    Finish(ToGrpcStatus(result.status, retryable ? retry_ms : 0));
  }

  const ServiceParts& parts_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const reply_;
  const uint64_t started_ns_;
  uint64_t held_bytes_ = 0;  // of the budget for exports
};

}  // namespace

grpc::ServerUnaryReactor* ExportService::Export(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* reply) {
  if (MustForward(parts_)) return ForwardUnary(parts_, Rpc::kExport, context, request, reply);
  auto* call = new ExportCall(parts_, context, reply);  // NOLINT: deletes itself
  call->Begin(request);
  return call;
}

}  // namespace larder
