// One running query, whatever the shape of its reply: its limits, its outcome, its place among the
// queries that run at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "plugin/calls/byte_budget.h"
#include "plugin/calls/rpc_metrics.h"
#include "plugin/calls/stream_watch.h"
#include "plugin/calls/worker_pool.h"
#include "plugin/store/store_gate.h"
#include "plugin/tenancy/tenant_guard.h"
#include "plugin/wire/byte_buffer.h"
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

// What a client asks, and of whom. `request` lives until it is answered.
struct Question {
  Store& store;
  TenantId tenant = 0;  // on whose behalf
  QueryLimits limits;   // the client's deadline and its wish to cancel
  std::string_view request;
};

// Begun and ended once each; Cancel may come from any thread in between.
class QueryCall {
 public:
  // `context` and `parts` must outlive this. Before the first reply: a client that sent the
  // metadata larder-reply-encoding: gzip gets its replies compressed.
  QueryCall(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
            const grpc::ByteBuffer& request);
  QueryCall(const QueryCall&) = delete;
  QueryCall& operator=(const QueryCall&) = delete;

  // What `work` makes of the question, a Result. Without asking it: what the guard says when it
  // refuses, kResourceExhausted when too many queries run, kUnavailable when there is no store,
  // kInvalidArgument when the request cannot be unpacked.
  template <typename Work>
  auto Ask(const Work& work) -> decltype(work(std::declval<const Question&>())) {
    LARDER_ASSIGN_OR_RETURN(Store* const store, Admit());
    LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                            ReadRequest(request_, parts_.request_bytes_max));
    return work(Question{*store, caller_->tenant, limits(), bytes.view});
  }
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  // Counts the call, tells the client and the log about gaps, and gives what to finish it with.
  grpc::Status End(const Status& outcome, const std::vector<Gap>& gaps);

 private:
  Result<Store*> Admit();
  QueryLimits limits() const;

  const ServiceParts& parts_;
  const Rpc rpc_;
  grpc::CallbackServerContext* const context_;
  const grpc::ByteBuffer request_;
  const uint64_t started_ns_;
  const Result<Caller> caller_;
  bool has_store_ = false;  // set by Admit
  std::atomic<bool> cancelled_{false};
};

}  // namespace larder
