// A server that takes OTLP over gRPC and keeps nothing: what all that stands before a store costs.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "bench/verbs.h"

namespace larder::bench {
namespace {

// Reads one message and answers with an empty one, whatever the method. Deletes itself.
class DropCall final : public grpc::ServerGenericBidiReactor {
 public:
  DropCall() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no message"));
    request_.Clear();
    StartWriteAndFinish(&reply_, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  const grpc::Slice empty_;
  grpc::ByteBuffer request_;
  const grpc::ByteBuffer reply_{&empty_, 1};
};

class DropService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* /*context*/) override {
    return new DropCall;  // NOLINT: deletes itself
  }
};

}  // namespace

Status RunDrop(Flags* flags) {
  const std::string address = flags->Text("listen", "127.0.0.1:17271");
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  // Before gRPC starts its threads, so that all of them leave these signals to sigwait.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  DropService service;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return Status::Unavailable("cannot listen on " + address);
  std::printf("dropping what comes to %s\n", address.c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  return Status::Ok();
}

}  // namespace larder::bench
