// OTLP over HTTP/1.1: POST /v1/traces in protobuf or JSON, as it is or in gzip.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
//
// A few threads serve all connections; one that waits for its next request holds a socket and some
// kilobytes, never a thread. Above `connections_max` the one that has waited longest is closed for
// the one that comes, so that idle ones starve nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "plugin/calls/rpc_metrics.h"
#include "plugin/security/security.h"
#include "plugin/store/store_gate.h"
#include "plugin/tenancy/tenant_guard.h"
#include "storage/base/clock.h"
#include "storage/base/status.h"

namespace larder {

struct OtlpHttpOptions {
  std::string listen = {};                   // host:port (port 0: any free one)
  uint64_t request_bytes_max = 64ull << 20;  // as it comes, and unpacked
  uint64_t memory_bytes_max = 256ull << 20;  // of the process; requests on their way get a quarter
                                             // and one request more
  uint32_t connections_max = 1024;
  uint64_t idle_ms_max = 300'000;     // a connection without a whole request header is closed
  uint64_t transfer_ms_max = 60'000;  // the body of a request, or a reply, takes no longer
  TenancyOptions tenancy = {};
  // These must outlive the server; no security: everybody, in plain text.
  const Security* security = nullptr;
  StoreGate* gate = nullptr;
  RpcMetrics* metrics = nullptr;
  Clock* clock = &Clock::System();
};

// Thread-safe, but Drain and the destructor come last.
class OtlpHttpServer {
 public:
  // Listens at once. kInvalidArgument or kUnavailable when the address cannot be listened on.
  static Result<std::unique_ptr<OtlpHttpServer>> Start(const OtlpHttpOptions& options);
  ~OtlpHttpServer();
  OtlpHttpServer(const OtlpHttpServer&) = delete;
  OtlpHttpServer& operator=(const OtlpHttpServer&) = delete;

  // Takes no more connections and requests; running ones may end within `grace`. When it returns
  // no request is with the store, which may go then.
  void Drain(std::chrono::milliseconds grace);

  int port() const;

 private:
  struct Parts;
  explicit OtlpHttpServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace larder
