// Gathers the spans that v1 clients send one by one into OTLP requests: a span alone would cost the
// store as much as a request of hundreds. While one request is on its way to the disk, the spans of
// all other calls gather for the next.
//
// When another process owns the store, its Export is sent the same requests. One that gets lost is
// sent again with the same bytes, by which the store knows it (../forward/OWNERSHIP.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "plugin/calls/worker_pool.h"
#include "plugin/forward/forwarder.h"
#include "plugin/store/store_gate.h"
#include "plugin/v1/to_otlp.h"
#include "plugin/wire/byte_buffer.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder::v1 {

struct SpanBatcherOptions {
  StoreGate* gate = nullptr;         // this and `replies` must outlive the batcher
  WorkerPool* replies = nullptr;     // runs callbacks
  Forwarder* forwarder = nullptr;    // to the owner of the store; null: it is this process
  size_t batch_bytes_max = 1 << 20;  // of v1 spans; a batch has one at least
  size_t batch_spans_max = 4096;
  size_t pending_bytes_max = 16 << 20;
  // A v1 client never sends a span twice, so a store that cannot take one now is asked again.
  // Jaeger waits without a deadline of its own; what it queues meanwhile is bounded by its
  // settings.
  uint64_t retry_ms_max = 30'000;
  // ... and for so long once the batcher is to stop, where the store is another process's: its
  // owner may be about to change.
  uint64_t stop_patience_ms = 1'500;
  uint64_t request_bytes_max = 64ull << 20;  // what the owner's Export takes
};

// On whose behalf a span is written.
struct SpanOrigin {
  TenantId tenant = 0;
  // Set: the store is another process's, whose guard reads these and decides the tenant.
  std::optional<Headers> headers = {};

  bool operator==(const SpanOrigin&) const = default;
};

// Thread-safe.
class SpanBatcher {
 public:
  // Runs once, on a thread of `replies`: OK means durable, as an Export's answer does.
  using Done = std::function<void(const Status&)>;

  explicit SpanBatcher(const SpanBatcherOptions& options);
  ~SpanBatcher();
  SpanBatcher(const SpanBatcher&) = delete;
  SpanBatcher& operator=(const SpanBatcher&) = delete;

  // `span` is a jaeger.api_v2.Span that lies in `message`.
  void Add(SpanOrigin origin, MessageBytes message, std::string_view span, Done done);
  // `done` runs when all that was added before has its outcome.
  void Flush(Done done);
  // A span that cannot be written is given up after `patience` at the latest, from now on.
  void Hurry(std::chrono::milliseconds patience);
  // More than pending_bytes_max wait: streams read no further.
  bool is_full() const;

  // Spans that wait are still offered to the store, once, or to its owner for stop_patience_ms;
  // later ones are refused. Returns when all have their outcome and their callbacks lie with
  // `replies`. From one thread at a time.
  void Stop();

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Item {
    SpanOrigin origin{};
    MessageBytes message{};
    std::string_view span{};  // lies in `message`
    Done done{};
    bool is_flush = false;
    Time came = std::chrono::steady_clock::now();
  };
  using Batch = std::vector<Item>;

  void Push(Item item);
  void Run();
  Batch TakeBatch() REQUIRES(mu_);
  void Write(Batch batch);
  void WriteOneByOne(Batch batch, std::vector<OtlpSpan> spans);
  // Tries until there is a lasting outcome, or it is `until`, but once at least.
  WriteResult WriteToStore(const SpanOrigin& origin, const std::string& otlp, Time until);
  WriteResult WriteOnce(const SpanOrigin& origin, const std::string& otlp, Time until);
  WriteResult WriteToOwner(const Headers& headers, const std::string& otlp, Time until);
  // False: there is no patience left, or the batcher stops.
  bool Wait(const SpanOrigin& origin, uint64_t ms);
  void Answer(Batch batch, const Status& status);

  const SpanBatcherOptions options_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Item> pending_ GUARDED_BY(mu_);
  size_t pending_bytes_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  Time patience_until_ GUARDED_BY(mu_) = Time::max();
  std::thread thread_;
};

}  // namespace larder::v1
