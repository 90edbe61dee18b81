#include "plugin/calls/rpc_metrics.h"

#include <algorithm>

namespace larder {

std::string_view RpcName(Rpc rpc) {
  static constexpr std::array<std::string_view, kRpcCount> kNames = {"Export",
                                                                     "GetTraces",
                                                                     "FindTraces",
                                                                     "FindTraceIDs",
                                                                     "FindTraceSummaries",
                                                                     "FindSpans",
                                                                     "GetServices",
                                                                     "GetOperations",
                                                                     "GetDependencies",
                                                                     "GetCapabilities",
                                                                     "v1.WriteSpan",
                                                                     "v1.WriteSpanStream",
                                                                     "v1.Close",
                                                                     "v1.GetTrace",
                                                                     "v1.FindTraces",
                                                                     "v1.FindTraceIDs",
                                                                     "v1.GetServices",
                                                                     "v1.GetOperations",
                                                                     "v1.GetDependencies",
                                                                     "v1.Capabilities",
                                                                     "v1.WriteArchiveSpan",
                                                                     "v1.GetArchiveTrace",
                                                                     "ExportHTTP"};
  return kNames[static_cast<size_t>(rpc)];
}

bool IsWrite(Rpc rpc) {
  return rpc == Rpc::kExport || rpc == Rpc::kExportHttp || rpc == Rpc::kV1WriteSpan ||
         rpc == Rpc::kV1WriteSpanStream || rpc == Rpc::kV1Close || rpc == Rpc::kV1WriteArchiveSpan;
}

void RpcMetrics::Ended(Rpc rpc, StatusCode code, uint64_t latency_ns) {
  Method& of_rpc = method(rpc);
  of_rpc.active.fetch_sub(1, std::memory_order_relaxed);
  of_rpc.by_code[static_cast<size_t>(code)].fetch_add(1, std::memory_order_relaxed);
  const auto* bound = std::lower_bound(kBoundsNs.begin(), kBoundsNs.end(), latency_ns);
  const auto latency_class = static_cast<size_t>(bound - kBoundsNs.begin());
  of_rpc.by_latency[latency_class].fetch_add(1, std::memory_order_relaxed);
  of_rpc.latency_sum_ns.fetch_add(latency_ns, std::memory_order_relaxed);
}

int64_t RpcMetrics::active_queries() const {
  int64_t active = 0;
  for (size_t i = 0; i < kRpcCount; ++i) {
    if (IsWrite(static_cast<Rpc>(i))) continue;
    active += methods_[i].active.load(std::memory_order_relaxed);
  }
  return active;
}

}  // namespace larder
