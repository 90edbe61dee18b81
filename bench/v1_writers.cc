#include "bench/v1_writers.h"

#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <jaeger/storage/v1/storage.grpc.pb.h>

#include "bench/process_facts.h"
#include "plugin/v1/from_otlp.h"
#include "storage/base/mutex.h"

namespace larder::bench {
namespace {

namespace api = jaeger::storage::v1;

constexpr size_t kWaitingMax = 2000;  // the queue of Jaeger's collector

Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return Status::Ok();
  return {static_cast<StatusCode>(status.error_code()), status.error_message()};
}

class Writers {
 public:
  Writers(const std::string& address, V1Way way, uint32_t count)
      : way_(way),
        channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        unary_(api::SpanWriterPlugin::NewStub(channel_)),
        streaming_(api::StreamingSpanWriterPlugin::NewStub(channel_)) {
    for (uint32_t i = 0; i < count; ++i) threads_.emplace_back([this] { Run(); });
  }

  // Waits while the queue is full. `span` is a jaeger.api_v2.Span message.
  void Add(std::string span) {
    const MutexLock lock(mu_);
    while (waiting_.size() >= kWaitingMax && failure_.ok()) changed_.Wait(mu_);
    waiting_.push_back(std::move(span));
    changed_.SignalAll();
  }
  // Call it once, last.
  Result<Latencies> Finish() {
    {
      const MutexLock lock(mu_);
      is_at_end_ = true;
      changed_.SignalAll();
    }
    for (std::thread& thread : threads_) thread.join();
    const MutexLock lock(mu_);
    if (!failure_.ok()) return failure_;
    return std::move(acks_);
  }

 private:
  void Run() {
    const Status outcome = way_ == V1Way::kUnary ? RunUnary() : RunStream();
    const MutexLock lock(mu_);
    if (failure_.ok()) failure_ = outcome;
    changed_.SignalAll();
  }
  // False at the end.
  bool Take(api::WriteSpanRequest* request) {
    std::string span;
    {
      const MutexLock lock(mu_);
      while (waiting_.empty() && !is_at_end_ && failure_.ok()) changed_.Wait(mu_);
      if (waiting_.empty() || !failure_.ok()) return false;
      span = std::move(waiting_.front());
      waiting_.pop_front();
      changed_.SignalAll();
    }
    return request->mutable_span()->ParseFromString(span);
  }
  Status RunUnary() {
    api::WriteSpanRequest request;
    while (Take(&request)) {
      grpc::ClientContext context;
      api::WriteSpanResponse reply;
      const double sent_us = NowUs();
      const grpc::Status status = unary_->WriteSpan(&context, request, &reply);
      if (!status.ok()) return ToStatus(status);
      const MutexLock lock(mu_);
      acks_.Add(NowUs() - sent_us);
    }
    return Status::Ok();
  }
  Status RunStream() {
    grpc::ClientContext context;
    api::WriteSpanResponse reply;
    const auto stream = streaming_->WriteSpanStream(&context, &reply);
    api::WriteSpanRequest request;
    while (Take(&request) && stream->Write(request)) {
    }
    stream->WritesDone();
    return ToStatus(stream->Finish());
  }

  const V1Way way_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<api::SpanWriterPlugin::Stub> unary_;
  const std::unique_ptr<api::StreamingSpanWriterPlugin::Stub> streaming_;
  Mutex mu_;
  CondVar changed_;
  std::deque<std::string> waiting_ GUARDED_BY(mu_);
  bool is_at_end_ GUARDED_BY(mu_) = false;
  Status failure_ GUARDED_BY(mu_);
  Latencies acks_ GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

Status AddAll(const std::string& otlp, Writers* writers) {
  v1::SpansFromOtlp spans(otlp);
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const bool has_next, spans.Next());
    if (!has_next) return Status::Ok();
    LARDER_ASSIGN_OR_RETURN(std::string span, spans.Encode());
    writers->Add(std::move(span));
  }
}

}  // namespace

Result<PumpResult> WriteByV1(Workload* load, const std::string& address, V1Way way,
                             uint32_t workers) {
  PumpResult result;
  const double started_us = NowUs();
  Writers writers(address, way, workers);
  Request request;
  Status failure;
  while (failure.ok() && load->Next(&request)) {
    result.spans += request.span_count;
    failure = AddAll(request.otlp, &writers);
  }
  Result<Latencies> acks = writers.Finish();
  if (!failure.ok()) return failure;
  if (!acks.ok()) return acks.status();
  result.requests = result.spans;
  result.wall_us = NowUs() - started_us;
  result.acks = *std::move(acks);
  return result;
}

}  // namespace larder::bench
