// Takes calls to the process that owns the data directory, whoever that is at the moment.
//
// A call that meets no owner, or whose owner dies or stops before it answers, is sent again, for
// `hold_ms` after it came: to the next owner, which may be this process itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "plugin/security/call_guard.h"
#include "storage/base/mutex.h"

namespace larder {

// One attempt at a call with one request and one reply. Lives until its callback has run.
class UnaryHop {
 public:
  // `trailers` are the owner's, but for those that gRPC makes out of the status.
  using Done = std::function<void(const grpc::Status& status, const grpc::ByteBuffer& reply,
                                  const Headers& trailers)>;

  // `done` then gets CANCELLED, unless the owner was faster. Thread-safe.
  void Cancel() { context_.TryCancel(); }

 private:
  friend class Forwarder;

  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  Done done_;
};

// Thread-safe. Must outlive the calls that go through it.
class Forwarder {
 public:
  using Stream = grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  static constexpr uint64_t kHoldMs = 30'000;
  static constexpr std::chrono::milliseconds kTryAgainAfter{50};

  // `address` is OwnerSocket::address(), and must stay valid.
  explicit Forwarder(const std::string& address, uint64_t hold_ms = kHoldMs);

  // Whether a server answers there; waits for at most `patience`.
  bool HasOwner(std::chrono::milliseconds patience);
  // From now on calls go by `channel`, which leads to this process itself; null: to the socket
  // again. Those that are held go there when they are sent the next time.
  void Redirect(std::shared_ptr<grpc::Channel> channel);
  std::chrono::milliseconds hold() const { return std::chrono::milliseconds(hold_ms_); }

  // One attempt. `method` is "/package.Service/Method"; `done` runs once, on a thread of gRPC.
  std::shared_ptr<UnaryHop> Send(const std::string& method, const Headers& headers,
                                 const grpc::ByteBuffer& request,
                                 std::chrono::system_clock::time_point deadline,
                                 UnaryHop::Done done);
  // The same for a call with a stream of replies; `reactor` starts it and sends the one request.
  void Open(const std::string& method, grpc::ClientContext* context, Stream* reactor);

  // Whether the owner did not get to the call or did not get to its end: another attempt may.
  // `trailers` as UnaryHop::Done gets them.
  static bool IsLost(const grpc::Status& status, const Headers& trailers);

 private:
  std::shared_ptr<grpc::GenericStub> stub() const;

  const uint64_t hold_ms_;
  const std::shared_ptr<grpc::Channel> channel_;  // to the socket
  mutable Mutex mu_;
  std::shared_ptr<grpc::GenericStub> stub_ GUARDED_BY(mu_);
};

// The trailers of a call that has ended, as UnaryHop::Done describes them.
Headers TrailersOf(const grpc::ClientContext& context);
// REQUIRES: gRPC would send them (TenantGuard::Identify says so): it aborts over any other.
void AddHeaders(const Headers& headers, grpc::ClientContext* context);

}  // namespace larder
