// One request of OTLP/HTTP, from its header to what is answered, without sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/calls/byte_budget.h"
#include "plugin/calls/rpc_metrics.h"
#include "plugin/otlp_http/http_outcome.h"
#include "plugin/store/store_gate.h"
#include "plugin/tenancy/tenant_guard.h"
#include "storage/base/clock.h"

namespace larder {

// What all requests share; outlives them.
struct ExportParts {
  const TenantGuard* guard = nullptr;
  StoreGate* gate = nullptr;
  RpcMetrics* metrics = nullptr;
  Clock* clock = nullptr;
  ByteBudget* budget = nullptr;
  uint64_t request_bytes_max = 0;
};

// The header of a request. The views live as long as it does.
struct ExportHeader {
  std::string_view method;
  std::string_view target;
  std::string_view content_type;
  std::string_view content_encoding;
  const CallMetadata* metadata = nullptr;
};

// Begin, then perhaps Hold while the body comes, then Write, then Settle. Counted in the metrics
// and in the budget from its constructor until it is settled or destroyed. Not thread-safe.
class ExportCall {
 public:
  // `parts` must outlive this.
  explicit ExportCall(const ExportParts& parts);
  ~ExportCall();
  ExportCall(const ExportCall&) = delete;
  ExportCall& operator=(const ExportCall&) = delete;

  // What to answer at once, or nothing: the body may come.
  std::optional<HttpOutcome> Begin(const ExportHeader& header);
  // Takes memory for `body_bytes` of the body so far; what to answer when there is none.
  std::optional<HttpOutcome> Hold(uint64_t body_bytes);
  // What to answer when the body could not be taken: `http_code` 400 or 413.
  HttpOutcome Refuse(const Status& status, unsigned http_code);
  // Unpacks and hands to the store. `done` runs once: in this call, or later on a thread of the
  // store, when it must not block. This must live until then.
  void Write(std::string body, std::function<void(HttpOutcome)> done);
  // Gives back what it held. To be called before the answer goes out, so that nobody who has one is
  // refused for what he sent before.
  void Settle();

 private:
  Result<std::string> Decode(std::string body);
  HttpOutcome End(HttpOutcome outcome, StatusCode code);
  HttpOutcome EndRefused(const Status& status, unsigned http_code = 0, uint32_t retry_ms = 0);

  const ExportParts& parts_;
  const uint64_t started_ns_;
  BudgetShare share_;
  StatusCode code_ = StatusCode::kCancelled;  // unless something is answered
  OtlpEncoding encoding_ = OtlpEncoding::kProtobuf;
  bool is_gzip_ = false;
  Caller caller_;
  bool is_settled_ = false;
};

}  // namespace larder
