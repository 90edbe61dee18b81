#include "plugin/calls/rpc_metrics.h"

#include <algorithm>

namespace larder {
namespace {

struct Names {
  std::string_view name;
  std::string_view path;
};

constexpr std::array<Names, kRpcCount> kNames = {{
    {"Export", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {"GetTraces", "/jaeger.storage.v2.TraceReader/GetTraces"},
    {"FindTraces", "/jaeger.storage.v2.TraceReader/FindTraces"},
    {"FindTraceIDs", "/jaeger.storage.v2.TraceReader/FindTraceIDs"},
    {"FindTraceSummaries", "/jaeger.storage.v2.TraceReader/FindTraceSummaries"},
    {"FindSpans", "/jaeger.storage.v2.TraceReader/FindSpans"},
    {"GetServices", "/jaeger.storage.v2.TraceReader/GetServices"},
    {"GetOperations", "/jaeger.storage.v2.TraceReader/GetOperations"},
    {"GetDependencies", "/jaeger.storage.v2.DependencyReader/GetDependencies"},
    {"GetCapabilities", "/jaeger.storage.v2.Capabilities/GetCapabilities"},
    {"v1.WriteSpan", "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan"},
    {"v1.WriteSpanStream", "/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream"},
    {"v1.Close", "/jaeger.storage.v1.SpanWriterPlugin/Close"},
    {"v1.GetTrace", "/jaeger.storage.v1.SpanReaderPlugin/GetTrace"},
    {"v1.FindTraces", "/jaeger.storage.v1.SpanReaderPlugin/FindTraces"},
    {"v1.FindTraceIDs", "/jaeger.storage.v1.SpanReaderPlugin/FindTraceIDs"},
    {"v1.GetServices", "/jaeger.storage.v1.SpanReaderPlugin/GetServices"},
    {"v1.GetOperations", "/jaeger.storage.v1.SpanReaderPlugin/GetOperations"},
    {"v1.GetDependencies", "/jaeger.storage.v1.DependenciesReaderPlugin/GetDependencies"},
    {"v1.Capabilities", "/jaeger.storage.v1.PluginCapabilities/Capabilities"},
    {"v1.WriteArchiveSpan", "/jaeger.storage.v1.ArchiveSpanWriterPlugin/WriteArchiveSpan"},
    {"v1.GetArchiveTrace", "/jaeger.storage.v1.ArchiveSpanReaderPlugin/GetArchiveTrace"},
    {"ExportHTTP", ""},
}};

}  // namespace

std::string_view RpcName(Rpc rpc) { return kNames[static_cast<size_t>(rpc)].name; }

std::string_view RpcPath(Rpc rpc) { return kNames[static_cast<size_t>(rpc)].path; }

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
