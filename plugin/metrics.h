// The page /metrics in Prometheus' text format. METRICS.md describes every metric; a test compares
// the two.
#pragma once

#include <string>

#include "plugin/rpc_metrics.h"
#include "plugin/stream_watch.h"
#include "storage/engine/store.h"

namespace larder {

// `stats` is null while there is no store: then what it would tell is left out and larder_ready
// is 0.
std::string RenderMetrics(const StoreStats* stats, const RpcMetrics& rpcs,
                          const StreamWatchNumbers& streams);

}  // namespace larder
