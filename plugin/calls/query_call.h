// One running query, whatever the shape of its reply: its limits, its outcome, its place among the
// queries that run at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <grpcpp/server_context.h>

#include "plugin/calls/byte_budget.h"
#include "plugin/calls/rpc_metrics.h"
#include "plugin/calls/stream_watch.h"
#include "plugin/calls/worker_pool.h"
#include "plugin/store/store_gate.h"
#include "plugin/tenancy/tenant_guard.h"
#include "storage/base/clock.h"
#include "storage/engine/store.h"

namespace larder {

class Forwarder;

// What all services share. Owned by the server; outlives every call.
struct ServiceParts {
  const TenantGuard* guard = nullptr;
  StoreGate* gate = nullptr;
  Forwarder* forwarder = nullptr;  // asked while the gate is closed; null: nobody is
  WorkerPool* queries = nullptr;   // runs queries, one step at a time
  WorkerPool* replies = nullptr;   // answers Export, so that the store's committer does not wait
  StreamWatch* streams = nullptr;
  ByteBudget* exports = nullptr;  // the requests of Export that are not answered yet
  RpcMetrics* metrics = nullptr;
  Clock* clock = nullptr;  // the store's
  uint32_t active_queries_max = 0;
  uint32_t search_depth_max = 0;
  uint32_t page_size_max = 0;
  uint64_t request_bytes_max = 0;  // unpacked
};

// Begun and ended once each; Cancel may come from any thread in between.
class QueryCall {
 public:
  // `context` and `parts` must outlive this. Before the first reply: a client that sent the
  // metadata larder-reply-encoding: gzip gets its replies compressed.
  QueryCall(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context);
  QueryCall(const QueryCall&) = delete;
  QueryCall& operator=(const QueryCall&) = delete;

  // The store; what the guard says when it refuses, kResourceExhausted when too many queries run,
  // kUnavailable when there is no store.
  Result<Store*> Admit() const;
  // On whose behalf the query runs. REQUIRES: Admit was ok.
  const Caller& caller() const { return *caller_; }
  // The client's deadline and its wish to cancel. Valid as long as this.
  QueryLimits limits() const;
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  // Counts the call, tells the client and the log about gaps, and gives what to finish it with.
  grpc::Status End(const Status& outcome, const std::vector<Gap>& gaps);

 private:
  const ServiceParts& parts_;
  const Rpc rpc_;
  grpc::CallbackServerContext* const context_;
  const uint64_t started_ns_;
  const Result<Caller> caller_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace larder
