// Counts calls by method and outcome, for /metrics. The numbers say how a client fares, so they
// are taken where a call ends.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

enum class Rpc : uint8_t {
  kExport,
  kGetTraces,
  kFindTraces,
  kFindTraceIds,
  kFindTraceSummaries,
  kFindSpans,
  kGetServices,
  kGetOperations,
  kGetDependencies,
  kGetCapabilities,
  kV1WriteSpan,
  kV1WriteSpanStream,
  kV1Close,
  kV1GetTrace,
  kV1FindTraces,
  kV1FindTraceIds,
  kV1GetServices,
  kV1GetOperations,
  kV1GetDependencies,
  kV1Capabilities,
  kV1WriteArchiveSpan,
  kV1GetArchiveTrace,
  kExportHttp,
};
constexpr size_t kRpcCount = 23;
constexpr size_t kStatusCodeCount = 17;

// As the .proto files spell it: "FindTraceIDs"; methods of jaeger.storage.v1 with "v1." in
// front; "ExportHTTP" for OTLP/HTTP. The view lives for ever.
std::string_view RpcName(Rpc rpc);
// As gRPC calls it: "/package.Service/Method"; empty for OTLP/HTTP. The view lives for ever.
std::string_view RpcPath(Rpc rpc);
// Whether it brings spans; all others ask.
bool IsWrite(Rpc rpc);

// Thread-safe; a reader may see one call counted and its time not yet.
class RpcMetrics {
 public:
  // Upper bounds of the latency classes, nanoseconds; above the last one there is one more class.
  static constexpr std::array<uint64_t, 8> kBoundsNs = {1'000'000,     5'000'000,     10'000'000,
                                                        50'000'000,    100'000'000,   1'000'000'000,
                                                        5'000'000'000, 30'000'000'000};

  struct Method {
    std::array<std::atomic<uint64_t>, kStatusCodeCount> by_code{};
    std::array<std::atomic<uint64_t>, kBoundsNs.size() + 1> by_latency{};
    std::atomic<uint64_t> latency_sum_ns{0};
    std::atomic<int64_t> active{0};
  };

  void Started(Rpc rpc) { method(rpc).active.fetch_add(1, std::memory_order_relaxed); }
  void Ended(Rpc rpc, StatusCode code, uint64_t latency_ns);

  const Method& of(Rpc rpc) const { return methods_[static_cast<size_t>(rpc)]; }
  // Calls of queries that have begun and not ended: all but those that write or tell capabilities.
  int64_t active_queries() const;

 private:
  Method& method(Rpc rpc) { return methods_[static_cast<size_t>(rpc)]; }
  std::array<Method, kRpcCount> methods_{};
};

}  // namespace larder
