#include "plugin/forward/forwarder.h"

#include <algorithm>
#include <climits>

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "plugin/calls/grpc_status.h"

namespace larder {
namespace {

constexpr int kReconnectMsMax = 50;
// An attempt to connect to a process that hangs ends after this.
constexpr int kConnectMsMax = 5'000;
// An owner that hangs does not answer these, and its connection is given up.
constexpr int kKeepaliveMs = 10'000;

// With the last of its objects gRPC ends its threads, one of which may sit in a poll of 10 s for a
// channel: longer than a host waits for its plugin. So gRPC stays until the process ends.
void KeepGrpc() {
  static const bool is_kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(is_kept);
}

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  KeepGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(INT_MAX);
  arguments.SetMaxSendMessageSize(INT_MAX);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMsMax);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMsMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Headers TrailersOf(const grpc::ClientContext& context) {
  Headers trailers;
  for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
    if (name.starts_with("grpc-")) continue;  // of the status
    trailers.emplace_back(std::string(name.begin(), name.end()),
                          std::string(value.begin(), value.end()));
  }
  return trailers;
}

void AddHeaders(const Headers& headers, grpc::ClientContext* context) {
  for (const auto& [name, value] : headers) context->AddMetadata(name, value);
}

Forwarder::Forwarder(const std::string& address, uint64_t hold_ms)
    : hold_ms_(hold_ms),
      channel_(Dial(address)),
      stub_(std::make_shared<grpc::GenericStub>(channel_)) {}

void Forwarder::Redirect(std::shared_ptr<grpc::Channel> channel) {
  auto stub = std::make_shared<grpc::GenericStub>(channel != nullptr ? channel : channel_);
  const MutexLock lock(mu_);
  stub_.swap(stub);
}

std::shared_ptr<grpc::GenericStub> Forwarder::stub() const {
  const MutexLock lock(mu_);
  return stub_;
}

bool Forwarder::HasOwner(std::chrono::milliseconds patience) {
  return channel_->WaitForConnected(std::chrono::system_clock::now() + patience);
}

std::shared_ptr<UnaryHop> Forwarder::Send(const std::string& method, const Headers& headers,
                                          const grpc::ByteBuffer& request,
                                          std::chrono::system_clock::time_point deadline,
                                          UnaryHop::Done done) {
  auto hop = std::make_shared<UnaryHop>();
  AddHeaders(headers, &hop->context_);
  hop->context_.set_deadline(deadline);
  hop->request_ = request;
  hop->done_ = std::move(done);
  stub()->UnaryCall(&hop->context_, method, {}, &hop->request_, &hop->reply_,
                    [hop](const grpc::Status& status) {
                      const UnaryHop::Done ended = std::move(hop->done_);
                      ended(status, hop->reply_, TrailersOf(hop->context_));
                    });
  return hop;
}

void Forwarder::Open(const std::string& method, grpc::ClientContext* context, Stream* reactor) {
  stub()->PrepareBidiStreamingCall(context, method, {}, reactor);
}

// gRPC says UNAVAILABLE or UNKNOWN ("Stream removed") when a connection breaks, CANCELLED when a
// server that stops ends its calls.
bool Forwarder::IsLost(const grpc::Status& status, const Headers& trailers) {
  const bool is_answered = std::any_of(trailers.begin(), trailers.end(), [](const auto& trailer) {
    return trailer.first == kAnsweredTrailer;
  });
  if (is_answered) return false;
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::UNKNOWN ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

}  // namespace larder
