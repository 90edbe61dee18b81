// Gathers the spans that v1 clients send one by one into OTLP requests: a span alone would cost the
// store as much as a request of hundreds. While one request is on its way to the disk, the spans of
// all other calls gather for the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "plugin/calls/worker_pool.h"
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
  size_t batch_bytes_max = 1 << 20;  // of v1 spans; a batch has one at least
  size_t batch_spans_max = 4096;
  size_t pending_bytes_max = 16 << 20;
  // A v1 client never sends a span twice, so a store that cannot take one now is asked again.
  // Jaeger waits without a deadline of its own; what it queues meanwhile is bounded by its
  // settings.
  uint64_t retry_ms_max = 30'000;
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
  void Add(TenantId tenant, MessageBytes message, std::string_view span, Done done);
  // `done` runs when all that was added before has its outcome.
  void Flush(Done done);
  // More than pending_bytes_max wait: streams read no further.
  bool is_full() const;

  // Spans that wait are still offered to the store, once; later ones are refused. Returns when all
  // have their outcome and their callbacks lie with `replies`. From one thread at a time.
  void Stop();

 private:
  struct Item {
    TenantId tenant = 0;
    MessageBytes message{};
    std::string_view span{};  // lies in `message`
    Done done{};
    bool is_flush = false;
  };
  using Batch = std::vector<Item>;

  void Push(Item item);
  void Run();
  Batch TakeBatch() REQUIRES(mu_);
  void Write(Batch batch);
  void WriteOneByOne(TenantId tenant, Batch batch, std::vector<OtlpSpan> spans);
  WriteResult WriteToStore(TenantId tenant, const std::string& otlp);
  // False: the batcher stops.
  bool Wait(uint64_t ms);
  void Answer(Batch batch, const Status& status);

  const SpanBatcherOptions options_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Item> pending_ GUARDED_BY(mu_);
  size_t pending_bytes_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder::v1
