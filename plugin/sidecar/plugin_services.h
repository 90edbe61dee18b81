// The services that go-plugin's hosts expect beside those of the plugin itself.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include <goplugin/plugin.grpc.pb.h>
#include <grpcpp/support/server_callback.h>

namespace larder {

// A host waits for the answer of Shutdown as long as it takes, and kills a plugin that is not gone
// two seconds later. So the answer comes when the spans that were sent before have their outcome,
// or after kFlushMax: a disk or an owner that hangs must not keep the host from its end.
class PluginController final : public plugin::GRPCController::CallbackService {
 public:
  using Done = std::function<void()>;
  static constexpr std::chrono::milliseconds kFlushMax{20'000};

  // `flush` calls back when what was sent is durable; `on_shutdown` is called then. Both may be
  // called more than once, from any thread, and must not block.
  PluginController(std::function<void(Done)> flush, Done on_shutdown,
                   std::chrono::milliseconds flush_max = kFlushMax)
      : flush_(std::move(flush)), on_shutdown_(std::move(on_shutdown)), flush_max_(flush_max) {}

  grpc::ServerUnaryReactor* Shutdown(grpc::CallbackServerContext* context,
                                     const plugin::Empty* request, plugin::Empty* reply) override;

 private:
  const std::function<void(Done)> flush_;
  const Done on_shutdown_;
  const std::chrono::milliseconds flush_max_;
};

// Jaeger asks for no further connections: what comes is read and left.
class PluginBroker final : public plugin::GRPCBroker::CallbackService {
 public:
  grpc::ServerBidiReactor<plugin::ConnInfo, plugin::ConnInfo>* StartStream(
      grpc::CallbackServerContext* context) override;
};

// Standard output is not used and the host reads standard error itself: the stream stays open and
// empty.
class PluginStdio final : public plugin::GRPCStdio::CallbackService {
 public:
  grpc::ServerWriteReactor<plugin::StdioData>* StreamStdio(
      grpc::CallbackServerContext* context, const google::protobuf::Empty* request) override;
};

}  // namespace larder
