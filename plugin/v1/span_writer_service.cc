#include "plugin/v1/span_writer_service.h"

#include <utility>

#include "plugin/calls/forwarded_call.h"
#include "plugin/calls/grpc_status.h"
#include "plugin/security/grpc_metadata.h"
#include "plugin/v1/requests.h"
#include "plugin/wire/byte_buffer.h"
#include "storage/base/log.h"

namespace larder::v1 {
namespace {

constexpr uint32_t kFullRetryMs = 500;

Result<SpanOrigin> OriginOf(const ServiceParts& parts, const grpc::ServerContextBase& context) {
  const GrpcMetadata metadata(context);
  SpanOrigin origin;
  if (MustForward(parts)) {
    LARDER_ASSIGN_OR_RETURN(origin.headers, parts.guard->Identify(metadata));
  } else {
    LARDER_ASSIGN_OR_RETURN(const Caller caller, parts.guard->Admit(metadata, Access::kWrite));
    origin.tenant = caller.tenant;
  }
  return origin;
}

// Deletes itself when gRPC is done with it, which is after the batcher answered: a client that goes
// away does not take back what it sent.
class WriteCall final : public grpc::ServerUnaryReactor {
 public:
  WriteCall(const ServiceParts& parts, SpanBatcher* batcher, Rpc rpc)
      : parts_(parts), batcher_(batcher), rpc_(rpc), started_ns_(parts.clock->MonotonicNanos()) {
    parts_.metrics->Started(rpc_);
  }

  void Write(const grpc::CallbackServerContext& context, const grpc::ByteBuffer* request) {
    const Result<SpanOrigin> origin = OriginOf(parts_, context);
    if (!origin.ok()) return End(origin.status());
    if (batcher_->is_full()) {
      return End(Status::ResourceExhausted("too many spans wait to be written; try again"));
    }
    Result<MessageBytes> bytes = TakeRequest(request, parts_.request_bytes_max);
    if (!bytes.ok()) return End(bytes.status());
    const Result<std::string_view> span = ParseWriteSpan(bytes->view);
    if (!span.ok()) return End(span.status());
    batcher_->Add(*origin, *std::move(bytes), *span,
                  [this](const Status& outcome) { End(outcome); });
  }
  void Flush() {
    batcher_->Flush([this](const Status& outcome) { End(outcome); });
  }

  void OnDone() override { delete this; }

 private:
  ~WriteCall() override = default;
  // gRPC then ends the call where it is instead of handing it to one more thread; what runs there
  // (OnCancel, OnDone) is short.
  bool InternalInlineable() override { return true; }

  void End(const Status& outcome) {
    parts_.metrics->Ended(rpc_, outcome.code(), parts_.clock->MonotonicNanos() - started_ns_);
    const bool is_full = outcome.code() == StatusCode::kResourceExhausted;
    Finish(ToGrpcStatus(outcome, is_full ? kFullRetryMs : 0));
  }

  const ServiceParts& parts_;
  SpanBatcher* const batcher_;
  const Rpc rpc_;
  const uint64_t started_ns_;
};

class RefusedStream final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const grpc::Status& why) { Finish(why); }
  void OnDone() override { delete this; }

 private:
  ~RefusedStream() override = default;
};

}  // namespace

// Deletes itself when gRPC is done with it. Reads one message after the other as long as little of
// what it brought waits for the store.
class WriteStream final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  WriteStream(StreamingSpanWriterService* service, grpc::CallbackServerContext* context,
              SpanOrigin origin)
      : service_(service),
        context_(context),
        origin_(std::move(origin)),
        started_ns_(service->parts_.clock->MonotonicNanos()) {
    service_->parts_.metrics->Started(Rpc::kV1WriteSpanStream);
  }

  void Begin() {
    if (!service_->Enter(this)) return Stop();
    const MutexLock lock(mu_);
    if (!is_at_end_) StartRead(&message_);
  }
  // Reads no more; ends when nothing waits.
  void Stop() {
    {
      const MutexLock lock(mu_);
      is_at_end_ = true;
      if (!IsDone()) return;
    }
    End();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Stop();
    Take();
    const MutexLock lock(mu_);
    is_paused_ = !HasRoom();
    if (!is_paused_ && !is_at_end_) StartRead(&message_);
  }
  void OnCancel() override { service_->NoteCancelled(); }
  void OnDone() override {
    service_->Leave(this);
    delete this;
  }

 private:
  ~WriteStream() override = default;

  // Hands the message at hand to the batcher.
  void Take() {
    Result<MessageBytes> bytes = TakeRequest(&message_, service_->parts_.request_bytes_max);
    const Result<std::string_view> span =
        bytes.ok() ? ParseWriteSpan(bytes->view) : Result<std::string_view>(bytes.status());
    const size_t size_bytes = span.ok() ? span->size() : 0;
    {
      const MutexLock lock(mu_);
      if (is_ended_) return;  // Stop came between; nothing may refer to this after gRPC is done
      ++waiting_;
      waiting_bytes_ += size_bytes;
    }
    if (!span.ok()) return Written(0, span.status());
    // The store may be this process's by now, and a stream lives as long as its client.
    if (origin_.headers && !MustForward(service_->parts_)) {
      Result<SpanOrigin> here = OriginOf(service_->parts_, *context_);
      if (here.ok()) origin_ = std::move(here).value();
    }
    service_->batcher_->Add(
        origin_, *std::move(bytes), *span,
        [this, size_bytes](const Status& outcome) { Written(size_bytes, outcome); });
  }
  void Written(size_t size_bytes, const Status& outcome) {
    {
      const MutexLock lock(mu_);
      --waiting_;
      waiting_bytes_ -= size_bytes;
      if (!outcome.ok() && lost_++ == 0) first_loss_ = outcome;
      if (is_paused_ && HasRoom() && !is_at_end_) {
        is_paused_ = false;
        StartRead(&message_);
      }
      if (!IsDone()) return;
    }
    End();
  }
  bool HasRoom() const REQUIRES(mu_) {
    return waiting_ == 0 || (waiting_bytes_ < kWaitingBytesMax && !service_->batcher_->is_full());
  }
  // True once: then the caller has to end the stream.
  bool IsDone() REQUIRES(mu_) {
    if (!is_at_end_ || is_ended_ || waiting_ > 0) return false;
    is_ended_ = true;
    return true;
  }
  // Without the lock, since the stream may be deleted at any moment after. Nobody changes it now.
  void End() NO_THREAD_SAFETY_ANALYSIS {
    const Status outcome =
        lost_ == 0 ? Status::Ok()
                   : first_loss_.With(std::to_string(lost_) + " spans were not stored, the first");
    const ServiceParts& parts = service_->parts_;
    parts.metrics->Ended(Rpc::kV1WriteSpanStream, outcome.code(),
                         parts.clock->MonotonicNanos() - started_ns_);
    Finish(ToGrpcStatus(outcome));
  }

  static constexpr size_t kWaitingBytesMax = 256 << 10;

  StreamingSpanWriterService* const service_;
  grpc::CallbackServerContext* const context_;
  SpanOrigin origin_;  // of one read at a time
  const uint64_t started_ns_;
  grpc::ByteBuffer message_;  // gRPC's while it reads
  Mutex mu_;
  size_t waiting_ GUARDED_BY(mu_) = 0;  // spans that have no outcome yet
  size_t waiting_bytes_ GUARDED_BY(mu_) = 0;
  uint64_t lost_ GUARDED_BY(mu_) = 0;
  Status first_loss_ GUARDED_BY(mu_);
  bool is_paused_ GUARDED_BY(mu_) = false;
  bool is_at_end_ GUARDED_BY(mu_) = false;
  bool is_ended_ GUARDED_BY(mu_) = false;  // Finish was called
};

grpc::ServerUnaryReactor* SpanWriterService::WriteSpan(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* reply) {
  *reply = ToByteBuffer({});                                        // a message without fields
  auto* call = new WriteCall(parts_, batcher_, Rpc::kV1WriteSpan);  // NOLINT: deletes itself
  call->Write(*context, request);
  return call;
}

grpc::ServerUnaryReactor* SpanWriterService::Close(grpc::CallbackServerContext* /*context*/,
                                                   const grpc::ByteBuffer* /*request*/,
                                                   grpc::ByteBuffer* reply) {
  *reply = ToByteBuffer({});
  auto* call = new WriteCall(parts_, batcher_, Rpc::kV1Close);  // NOLINT: deletes itself
  call->Flush();
  return call;
}

grpc::ServerUnaryReactor* ArchiveSpanWriterService::WriteArchiveSpan(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* reply) {
  *reply = ToByteBuffer({});
  auto* call = new WriteCall(parts_, batcher_, Rpc::kV1WriteArchiveSpan);  // NOLINT: itself
  call->Write(*context, request);
  return call;
}

grpc::ServerReadReactor<grpc::ByteBuffer>* StreamingSpanWriterService::WriteSpanStream(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* reply) {
  *reply = ToByteBuffer({});
  Result<SpanOrigin> origin = OriginOf(parts_, *context);
  if (!origin.ok()) return new RefusedStream(ToGrpcStatus(origin.status()));  // NOLINT: itself
  auto* stream = new WriteStream(this, context, *std::move(origin));  // NOLINT: deletes itself
  stream->Begin();
  return stream;
}

void StreamingSpanWriterService::Stop() {
  const MutexLock lock(mu_);
  stopped_ = true;
  for (WriteStream* stream : streams_) stream->Stop();
}

bool StreamingSpanWriterService::Enter(WriteStream* stream) {
  const MutexLock lock(mu_);
  if (!stopped_) streams_.insert(stream);
  return !stopped_;
}

void StreamingSpanWriterService::Leave(WriteStream* stream) {
  const MutexLock lock(mu_);
  streams_.erase(stream);
}

void StreamingSpanWriterService::NoteCancelled() {
  if (has_warned_.exchange(true)) return;
  Log(LogLevel::kWarning,
      "a client broke off a stream of spans; those that it sent last may be lost. A Jaeger of "
      "v1.65 "
      "or later that gets its spans by OTLP does that: turn v1.streaming off for it (said once)");
}

}  // namespace larder::v1
