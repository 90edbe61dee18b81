// The page /metrics in Prometheus' text format. METRICS.md describes every metric; a test compares
// the two.
#pragma once

#include <string>
#include <vector>

#include "plugin/calls/rpc_metrics.h"
#include "plugin/calls/stream_watch.h"
#include "storage/engine/store.h"

namespace larder {

// `stats` is null while there is no store: then what it would tell is left out and larder_ready
// is 0. `tenants`: those with a name are shown, the largest hundred of them one by one and the rest
// together, so that the page stays bounded.
std::string RenderMetrics(const StoreStats* stats, const std::vector<TenantStatus>& tenants,
                          const RpcMetrics& rpcs, const StreamWatchNumbers& streams);

}  // namespace larder
