// The gRPC server: every service on one port, its threads, its limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin/calls/rpc_metrics.h"
#include "plugin/calls/stream_watch.h"
#include "plugin/security/security.h"
#include "plugin/store/store_gate.h"
#include "plugin/tenancy/tenant_guard.h"
#include "plugin/v1/options.h"
#include "storage/base/clock.h"
#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace grpc {
class ServerCredentials;
class Service;
}  // namespace grpc

namespace larder {

class Forwarder;

struct ServerOptions {
  std::string listen = "127.0.0.1:17271";  // host:port (port 0: any free one) or unix:PATH
  std::string otlp_listen = {};            // a second address with the same services; may be empty
  std::string archive_listen = {};         // of the archive's own port; may be empty
  TenancyOptions tenancy = {};
  uint64_t request_bytes_max = 64ull << 20;  // a larger message is refused before it is parsed
  uint64_t memory_bytes_max = 256ull << 20;  // of the process; gRPC's buffers get a quarter and one
                                             // request more
  uint32_t query_threads = 4;
  uint32_t active_queries_max = 1024;  // streams that wait for their reader included
  uint32_t search_depth_max = 10'000;
  uint32_t page_size_max = 10'000;
  uint64_t pending_reply_bytes_max = 64ull << 20;  // made for readers and not yet taken by them
  uint64_t stall_ms_max = 120'000;                 // a stream that takes nothing so long is ended
  v1::ServiceOptions v1{};                         // of jaeger.storage.v1
  // Served too, outside of the guard: (name that health answers, service). Must outlive the server.
  std::vector<std::pair<std::string, grpc::Service*>> more_services = {};
  // Asked for what only the store can tell as long as none is open here, and sent the spans of
  // jaeger.storage.v1 and OTLP; null: such calls are refused meanwhile. Must outlive the server.
  Forwarder* forwarder = nullptr;
  const Security* security = nullptr;  // null: everybody, in plain text; must outlive the server
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;  // instead of security's TLS
  Clock* clock = &Clock::System();  // the store's; must outlive the server
};

// Thread-safe, but ServeOthers, ServeHeld and ServeNobody are for one thread, and Drain and the
// destructor come last.
class Server {
 public:
  // Listens at once and answers "unavailable" until Open. kInvalidArgument or kUnavailable when
  // an address cannot be listened on.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves other processes of this user on one more address, a unix socket: what they forward,
  // without a token. At once, as Start does. kUnavailable: it cannot be listened on.
  Status ServeOthers(const std::string& address);
  // Where that fails: answers what this process holds for an owner by itself. Does nothing without
  // ServerOptions::forwarder.
  void ServeHeld();
  // No longer: ends the calls of other processes and their connections, so that they look for the
  // next owner. Only while no store is open here.
  void ServeNobody();

  // `store` must outlive Drain.
  void Open(Store* store);
  // Health says SERVING: ServerOptions::forwarder has found the owner.
  void Forward();
  // Calls `done` from another thread when every span that came by jaeger.storage.v1 before has its
  // outcome. Those that can not be written are given up after `patience`, as are all that come
  // later: the server is to stop.
  void FlushV1(std::function<void()> done, std::chrono::milliseconds patience);
  // Health says NOT_SERVING, new calls are refused, running ones may end within `grace` and are
  // then cancelled. When it returns no call is left and the store may go.
  void Drain(std::chrono::milliseconds grace);

  int port() const;
  int otlp_port() const;     // 0: not asked for
  int archive_port() const;  // 0: not asked for
  // Of every service of ours: all but gRPC's health and reflection.
  std::vector<std::string> service_names() const;
  StoreGate& gate();
  RpcMetrics& metrics();
  const StreamWatch& streams() const;

 private:
  struct ArchivePort;
  struct OwnerPort;
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  // Null: `address` cannot be listened on. Empty: it is only reached from within this process.
  std::unique_ptr<OwnerPort> StartOwnerPort(const std::string& address);
  // Nobody's calls are left on a port for others.
  void CloseOwnerPorts(std::chrono::system_clock::time_point until);
  Status StartArchive(const ServerOptions& options);
  void SetServing(bool serving);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace larder
