#include <thread>
#include <utility>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "bench/export_reply.h"
#include "bench/target.h"

namespace larder::bench {
namespace {

constexpr uint32_t kRetryMs =
    20;  // what the server asks for rides in a detail that is not read here

std::string BytesOf(const grpc::ByteBuffer& reply) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!reply.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

struct Call {
  grpc::ClientContext context;
  grpc::ByteBuffer reply;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  std::function<void(SendOutcome)> done;
};

class ServerTarget : public Target {
 public:
  explicit ServerTarget(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    thread_ = std::thread([this] { Run(); });
  }
  ~ServerTarget() override {
    queue_.Shutdown();
    thread_.join();
  }

  void Send(const std::string& otlp, std::function<void(SendOutcome)> done) override {
    auto call = std::make_unique<Call>();
    call->done = std::move(done);
    const grpc::Slice slice(otlp);
    const grpc::ByteBuffer request(&slice, 1);
    call->reader = stub_->PrepareUnaryCall(
        &call->context, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", request,
        &queue_);
    call->reader->StartCall();
    Call* const tag = call.release();  // Run takes it back
    tag->reader->Finish(&tag->reply, &tag->status, tag);
  }

 private:
  void Run() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      SendOutcome outcome;
      if (call->status.ok()) {
        outcome.rejected_spans = RejectedSpans(BytesOf(call->reply));
      } else {
        const auto code = static_cast<StatusCode>(call->status.error_code());
        outcome = {.status = Status(code, call->status.error_message()),
                   .rejected_spans = 0,
                   .retry_after_ms = kRetryMs};
      }
      call->done(std::move(outcome));
    }
  }

  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Target> MakeServerTarget(const std::string& address) {
  return std::make_unique<ServerTarget>(address);
}

}  // namespace larder::bench
