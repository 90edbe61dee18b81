#include "plugin/sidecar/plugin_services.h"

#include <atomic>
#include <memory>

#include <grpcpp/alarm.h>

namespace larder {
namespace {

// The answer of Shutdown, by whoever comes first.
class ShutdownReply {
 public:
  ShutdownReply(grpc::ServerUnaryReactor* reactor, PluginController::Done on_shutdown)
      : reactor_(reactor), on_shutdown_(std::move(on_shutdown)) {}
  void Give() {
    if (is_given_.exchange(true)) return;
    reactor_->Finish(grpc::Status::OK);
    on_shutdown_();
  }

  grpc::Alarm alarm;

 private:
  grpc::ServerUnaryReactor* const reactor_;
  const PluginController::Done on_shutdown_;
  std::atomic<bool> is_given_ = false;
};

class BrokerStream final : public grpc::ServerBidiReactor<plugin::ConnInfo, plugin::ConnInfo> {
 public:
  BrokerStream() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (ok) {
      StartRead(&message_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

 private:
  ~BrokerStream() override = default;

  plugin::ConnInfo message_;
};

class StdioStream final : public grpc::ServerWriteReactor<plugin::StdioData> {
 public:
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  ~StdioStream() override = default;
};

}  // namespace

grpc::ServerUnaryReactor* PluginController::Shutdown(grpc::CallbackServerContext* context,
                                                     const plugin::Empty* /*request*/,
                                                     plugin::Empty* /*reply*/) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto answer = std::make_shared<ShutdownReply>(reactor, on_shutdown_);
  // The flush keeps the answer: the alarm alone would hold itself.
  answer->alarm.Set(std::chrono::system_clock::now() + flush_max_,
                    [late = std::weak_ptr(answer)](bool /*is_due*/) {
                      if (const auto waiting = late.lock()) waiting->Give();
                    });
  flush_([answer] { answer->Give(); });
  return reactor;
}

grpc::ServerBidiReactor<plugin::ConnInfo, plugin::ConnInfo>* PluginBroker::StartStream(
    grpc::CallbackServerContext* /*context*/) {
  return new BrokerStream;  // NOLINT: deletes itself
}

grpc::ServerWriteReactor<plugin::StdioData>* PluginStdio::StreamStdio(
    grpc::CallbackServerContext* /*context*/, const google::protobuf::Empty* /*request*/) {
  return new StdioStream;  // NOLINT: deletes itself
}

}  // namespace larder
