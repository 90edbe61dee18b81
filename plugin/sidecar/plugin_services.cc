#include "plugin/sidecar/plugin_services.h"

namespace larder {
namespace {

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
  flush_([this, reactor] {
    reactor->Finish(grpc::Status::OK);
    on_shutdown_();
  });
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
