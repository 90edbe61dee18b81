#include "plugin/poller_hold.h"

#include <atomic>
#include <string>
#include <thread>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "plugin/byte_buffer.h"
#include "storage/base/mutex.h"

namespace larder {
namespace {

constexpr uint32_t kCoresMax = 5;  // from six on gRPC has three threads and there is work for them

std::atomic<bool> g_held{false};

}  // namespace

struct PollerHold::Call {
  explicit Call(grpc::Server* server) : stub(server->InProcessChannel({})) {}

  // Runs where gRPC ends calls. A gRPC that did so on the thread that began the call would wait for
  // itself, and is left alone.
  void Hold() {
    const MutexLock lock(mu);
    while (!let_go && std::this_thread::get_id() != beginner) changed.Wait(mu);
    ended = true;
    changed.SignalAll();
  }

  void LetGo() {
    const MutexLock lock(mu);
    let_go = true;
    changed.SignalAll();
    while (!ended) changed.Wait(mu);
  }

  const std::thread::id beginner = std::this_thread::get_id();
  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::ByteBuffer request = ToByteBuffer(std::string());
  grpc::ByteBuffer reply;
  Mutex mu;
  CondVar changed;
  bool let_go GUARDED_BY(mu) = false;
  bool ended GUARDED_BY(mu) = false;
};

PollerHold::PollerHold(grpc::Server* server) {
  if (std::thread::hardware_concurrency() > kCoresMax || g_held.exchange(true)) return;
  call_ = std::make_unique<Call>(server);
  Call* const call = call_.get();
  // There is no such method; that the call ends is all that matters.
  call->stub.UnaryCall(&call->context, "/larder.None/None", {}, &call->request, &call->reply,
                       [call](const grpc::Status&) { call->Hold(); });
}

PollerHold::~PollerHold() {
  if (call_ == nullptr) return;
  call_->LetGo();
  g_held.store(false);
}

}  // namespace larder
