#include "plugin/calls/forwarded_call.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <grpcpp/alarm.h>

#include "plugin/calls/byte_budget.h"
#include "plugin/calls/grpc_status.h"
#include "plugin/forward/forwarder.h"
#include "plugin/security/grpc_metadata.h"
#include "storage/base/mutex.h"

namespace larder {
namespace {

using WallClock = std::chrono::system_clock;

// What both shapes of a call share: whom it asks, for how long, and when it is tried again.
class Forwarding {
 public:
  Forwarding(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
             const grpc::ByteBuffer* message)
      : forwarder(*parts.forwarder),
        method(RpcPath(rpc)),
        headers(parts.guard->Identify(GrpcMetadata(*context))),
        request(*message),
        deadline(context->deadline()),
        parts_(parts),
        rpc_(rpc),
        context_(context),
        started_ns_(parts.clock->MonotonicNanos()),
        held_until_(WallClock::now() + forwarder.hold()) {
    parts_.metrics->Started(rpc_);
  }

  // Why the call cannot be sent on; ok when it can.
  Status Check() const {
    // The client broke off before its request was here whole. gRPC calls the handler all the same,
    // and aborts the process that sends such a message on.
    if (!request.Valid()) return Status::Cancelled("the request did not come whole");
    return headers.status();
  }
  // Of a call that was not sent on. With `retry_after_ms` not 0 it may come again.
  grpc::Status Refuse(const Status& why, uint32_t retry_after_ms) {
    const grpc::Status refusal = ToGrpcStatus(why, retry_after_ms);
    Count(refusal);
    return refusal;
  }
  // Whether a call that ended like this should be sent again.
  bool ShouldRetry(const grpc::Status& outcome, const Headers& trailers) const {
    return Forwarder::IsLost(outcome, trailers) && !context_->IsCancelled() &&
           WallClock::now() + Forwarder::kTryAgainAfter < std::min(held_until_, deadline);
  }
  // `retry` runs a moment later, on a thread of gRPC.
  void RetryLater(std::function<void()> retry) {
    // A new one each time: the callback of the last may still be on its way out.
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(WallClock::now() + Forwarder::kTryAgainAfter,
                [retry = std::move(retry)](bool /*is_due*/) { retry(); });
  }
  // Counts the call, hands the trailers on and gives what to finish it with.
  grpc::Status End(const grpc::Status& outcome, const Headers& trailers) {
    Count(outcome);
    for (const auto& [name, value] : trailers) context_->AddTrailingMetadata(name, value);
    if (!Forwarder::IsLost(outcome, trailers) || context_->IsCancelled()) return outcome;
    return {grpc::StatusCode::UNAVAILABLE,
            "the process that owns the data directory did not answer: " + outcome.error_message()};
  }

  Forwarder& forwarder;
  const std::string method;
  const Result<Headers> headers;  // ok once Check was
  const grpc::ByteBuffer request;
  const WallClock::time_point deadline;  // the client's

 private:
  void Count(const grpc::Status& outcome) {
    parts_.metrics->Ended(rpc_, static_cast<StatusCode>(outcome.error_code()),
                          parts_.clock->MonotonicNanos() - started_ns_);
  }

  const ServiceParts& parts_;
  const Rpc rpc_;
  grpc::CallbackServerContext* const context_;
  const uint64_t started_ns_;
  const WallClock::time_point held_until_;
  std::unique_ptr<grpc::Alarm> alarm_;
};

// Deletes itself when gRPC is done with it.
class ForwardedUnary final : public grpc::ServerUnaryReactor {
 public:
  ForwardedUnary(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                 const grpc::ByteBuffer* request, grpc::ByteBuffer* reply)
      : held_(parts.exports), forwarding_(parts, rpc, context, request), reply_(reply) {}

  // `held_bytes` of the budget for exports are taken until the end.
  void Begin(uint64_t held_bytes) {
    const Status status = forwarding_.Check();
    if (!status.ok()) return Finish(forwarding_.Refuse(status, 0));
    if (held_.Resize(held_bytes)) return Try();
    const Status full = Status::ResourceExhausted(
        "too many spans are waiting for the process that owns the data directory");
    Finish(forwarding_.Refuse(full, kGateRetryMs));
  }
  void Try() {
    busy_.store(2, std::memory_order_relaxed);
    auto hop = forwarding_.forwarder.Send(
        forwarding_.method, *forwarding_.headers, forwarding_.request, forwarding_.deadline,
        [this](const grpc::Status& outcome, const grpc::ByteBuffer& reply,
               const Headers& trailers) {
          outcome_ = outcome;
          answer_ = reply;
          trailers_ = trailers;
          Leave();
        });
    {
      const MutexLock lock(mu_);
      hop_ = std::move(hop);
      if (is_cancelled_) hop_->Cancel();
    }
    Leave();
  }
  void OnCancel() override {
    const MutexLock lock(mu_);
    is_cancelled_ = true;
    if (hop_ != nullptr) hop_->Cancel();
  }
  void OnDone() override { delete this; }

 private:
  ~ForwardedUnary() override = default;

  // Try and the answer to what it sent may come to their ends in any order, on two threads. The
  // later one goes on: after Finish nothing here may be touched.
  void Leave() {
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    if (forwarding_.ShouldRetry(outcome_, trailers_))
      return forwarding_.RetryLater([this] { Try(); });
    if (outcome_.ok()) *reply_ = answer_;
    Finish(forwarding_.End(outcome_, trailers_));
  }

  BudgetShare held_;
  Forwarding forwarding_;
  grpc::ByteBuffer* const reply_;
  std::atomic<int> busy_ = 0;
  grpc::Status outcome_;  // of the latest attempt, until Leave
  grpc::ByteBuffer answer_;
  Headers trailers_;
  Mutex mu_;
  std::shared_ptr<UnaryHop> hop_ GUARDED_BY(mu_);
  bool is_cancelled_ GUARDED_BY(mu_) = false;
};

// Deletes itself when gRPC is done with it. Reads a message when the client has taken the one
// before.
class ForwardedStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  ForwardedStream(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                  const grpc::ByteBuffer* request)
      : forwarding_(parts, rpc, context, request) {}

  void Begin() {
    const Status status = forwarding_.Check();
    if (!status.ok()) return Finish(forwarding_.Refuse(status, 0));
    Try();
  }
  void Try() {
    auto* hop = new Hop(this);  // NOLINT: deletes itself
    {
      const MutexLock lock(mu_);
      hop_ = hop;
      if (is_cancelled_) hop->Cancel();
    }
    hop->Begin();
  }
  void OnWriteDone(bool ok) override {
    message_.Clear();
    const MutexLock lock(mu_);
    // The hop is held: it ends only when it is told that nothing more is read.
    if (ok) {
      hop_->Next();
    } else {
      hop_->Leave();
    }
  }
  void OnCancel() override {
    const MutexLock lock(mu_);
    is_cancelled_ = true;
    if (hop_ != nullptr) hop_->Cancel();
  }
  void OnDone() override { delete this; }

 private:
  // One attempt. Deletes itself when gRPC is done with it, and then tells its call.
  class Hop final : public Forwarder::Stream {
   public:
    explicit Hop(ForwardedStream* call) : call_(call) {}

    void Begin() {
      Forwarding& forwarding = call_->forwarding_;
      AddHeaders(*forwarding.headers, &context_);
      context_.set_deadline(forwarding.deadline);
      forwarding.forwarder.Open(forwarding.method, &context_, this);
      // Reads are begun from outside of its callbacks.
      AddHold();
      StartWriteLast(&forwarding.request, grpc::WriteOptions());
      StartRead(&call_->message_);
      StartCall();
    }
    void Next() { StartRead(&call_->message_); }
    void Leave() {
      Cancel();
      RemoveHold();
    }
    void Cancel() { context_.TryCancel(); }

    void OnReadDone(bool ok) override {
      if (!ok) return RemoveHold();
      call_->is_passed_on_ = true;
      call_->StartWrite(&call_->message_);
    }
    void OnDone(const grpc::Status& outcome) override {
      ForwardedStream* const call = call_;
      const Headers trailers = TrailersOf(context_);
      {
        const MutexLock lock(call->mu_);
        call->hop_ = nullptr;
      }
      delete this;
      call->Ended(outcome, trailers);
    }

   private:
    ~Hop() override = default;

    ForwardedStream* const call_;
    grpc::ClientContext context_;
  };

  ~ForwardedStream() override = default;

  void Ended(const grpc::Status& outcome, const Headers& trailers) {
    if (!is_passed_on_ && forwarding_.ShouldRetry(outcome, trailers)) {
      return forwarding_.RetryLater([this] { Try(); });
    }
    Finish(forwarding_.End(outcome, trailers));
  }

  Forwarding forwarding_;
  // Of one side at a time: filled by a read of the hop, then written to the client.
  grpc::ByteBuffer message_;
  bool is_passed_on_ = false;  // some of the answer went to the client
  Mutex mu_;
  Hop* hop_ GUARDED_BY(mu_) = nullptr;  // null: between two attempts
  bool is_cancelled_ GUARDED_BY(mu_) = false;
};

}  // namespace

bool MustForward(const ServiceParts& parts) {
  return parts.forwarder != nullptr && !parts.gate->Get().ok();
}

grpc::ServerUnaryReactor* ForwardUnary(const ServiceParts& parts, Rpc rpc,
                                       grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) {
  auto* call = new ForwardedUnary(parts, rpc, context, request, reply);  // NOLINT: deletes itself
  call->Begin(IsWrite(rpc) ? request->Length() : 0);
  return call;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ForwardStream(const ServiceParts& parts, Rpc rpc,
                                                          grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request) {
  auto* call = new ForwardedStream(parts, rpc, context, request);  // NOLINT: deletes itself
  call->Begin();
  return call;
}

}  // namespace larder
