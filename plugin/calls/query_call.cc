#include "plugin/calls/query_call.h"

#include <chrono>
#include <string>

#include "plugin/calls/grpc_status.h"
#include "plugin/security/grpc_metadata.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint32_t kOverloadRetryMs = 500;

// gRPC does not tell which encoding a request had, and every client says that it takes gzip, so a
// client that wants its replies compressed asks for it; in Jaeger's configuration of grpc storage,
// by `headers: {larder-reply-encoding: gzip}`.
bool AsksForGzip(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto asked = metadata.find("larder-reply-encoding");
  return asked != metadata.end() && asked->second == "gzip";
}

// The monotonic moment of a deadline by the wall clock, in which gRPC keeps it.
uint64_t MonotonicDeadline(std::chrono::system_clock::time_point deadline, Clock& clock) {
  if (deadline == std::chrono::system_clock::time_point::max()) return UINT64_MAX;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
      deadline - std::chrono::system_clock::now());
  const uint64_t now_ns = clock.MonotonicNanos();
  if (left.count() <= 0) return now_ns;
  return now_ns + static_cast<uint64_t>(left.count());
}

}  // namespace

QueryCall::QueryCall(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
                     const grpc::ByteBuffer& request)
    : parts_(parts),
      rpc_(rpc),
      context_(context),
      request_(request),
      started_ns_(parts.clock->MonotonicNanos()),
      caller_(parts.guard->Admit(GrpcMetadata(*context))) {
  parts_.metrics->Started(rpc_);
  if (AsksForGzip(*context)) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
}

Result<Store*> QueryCall::Admit() {
  if (!caller_.ok()) return caller_.status();
  if (parts_.metrics->active_queries() > int64_t{parts_.active_queries_max}) {
    return Status::ResourceExhausted("more than " + std::to_string(parts_.active_queries_max) +
                                     " queries run at once; try again (query.concurrency-max)");
  }
  const Result<Store*> store = parts_.gate->Get();
  has_store_ = store.ok();
  return store;
}

QueryLimits QueryCall::limits() const {
  return {.deadline_monotonic_ns = MonotonicDeadline(context_->deadline(), *parts_.clock),
          .cancelled = &cancelled_};
}

grpc::Status QueryCall::End(const Status& outcome, const std::vector<Gap>& gaps) {
  parts_.metrics->Ended(rpc_, outcome.code(), parts_.clock->MonotonicNanos() - started_ns_);
  if (!gaps.empty()) {
    const std::string text = GapsTrailer(gaps);
    context_->AddTrailingMetadata("larder-gaps", text);
    Log(LogLevel::kWarning, "query answered with gaps", {{"rpc", RpcName(rpc_)}, {"gaps", text}});
  }
  if (has_store_ && outcome.code() == StatusCode::kUnavailable) {
    context_->AddTrailingMetadata(kAnsweredTrailer, "1");
  }
  const bool retryable = outcome.code() == StatusCode::kUnavailable ||
                         outcome.code() == StatusCode::kResourceExhausted;
  return ToGrpcStatus(outcome, retryable ? kOverloadRetryMs : 0);
}

}  // namespace larder
