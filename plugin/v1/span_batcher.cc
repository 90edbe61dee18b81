#include "plugin/v1/span_batcher.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include <pthread.h>

#include "plugin/forward/export_hop.h"
#include "storage/base/log.h"
#include "storage/model/traces_data_writer.h"

namespace larder::v1 {
namespace {

constexpr uint64_t kRetryDefaultMs = 100;
constexpr uint64_t kRetryMsMax = 1000;  // a store that is free again is not kept waiting
constexpr std::chrono::milliseconds kLookEvery(100);
// What a span that has waited for its whole time behind others is given all the same.
constexpr std::chrono::milliseconds kLastTry(200);

bool IsTransient(const Status& status) {
  return status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kResourceExhausted;
}

// One request; spans of one resource and scope lie together, which both the wire and the store
// like.
std::string RequestOf(const std::vector<OtlpSpan>& spans) {
  std::vector<size_t> order(spans.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::tie(spans[a].resource, spans[a].scope) <
           std::tie(spans[b].resource, spans[b].scope);
  });
  TracesDataWriter writer;
  for (const size_t i : order) writer.Add(spans[i].resource, spans[i].scope, spans[i].span);
  return writer.Finish();
}

// Waits for the store's answer.
WriteResult Ask(Store& store, const WriteRequest& request) {
  std::promise<WriteResult> answer;
  store.WriteAsync(request, [&](WriteResult result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

}  // namespace

SpanBatcher::SpanBatcher(const SpanBatcherOptions& options)
    : options_(options), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "larder-v1-write");
}

SpanBatcher::~SpanBatcher() { Stop(); }

void SpanBatcher::Stop() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  Hurry(std::chrono::milliseconds(options_.stop_patience_ms));
  if (thread_.joinable()) thread_.join();
}

void SpanBatcher::Hurry(std::chrono::milliseconds patience) {
  const MutexLock lock(mu_);
  patience_until_ = std::min(patience_until_, std::chrono::steady_clock::now() + patience);
  changed_.SignalAll();
}

bool SpanBatcher::is_full() const {
  const MutexLock lock(mu_);
  return pending_bytes_ > options_.pending_bytes_max;
}

void SpanBatcher::Add(SpanOrigin origin, MessageBytes message, std::string_view span, Done done) {
  Push({.origin = std::move(origin),
        .message = std::move(message),
        .span = span,
        .done = std::move(done)});
}

void SpanBatcher::Flush(Done done) { Push({.done = std::move(done), .is_flush = true}); }

void SpanBatcher::Push(Item item) {
  {
    const MutexLock lock(mu_);
    if (!stopping_) {
      pending_bytes_ += item.span.size();
      pending_.push_back(std::move(item));
      changed_.SignalAll();
      return;
    }
  }
  item.done(Status::Unavailable("the server is shutting down"));
}

void SpanBatcher::Run() {
  for (;;) {
    Batch batch;
    {
      const MutexLock lock(mu_);
      while (pending_.empty() && !stopping_) changed_.Wait(mu_);
      if (pending_.empty()) return;
      batch = TakeBatch();
    }
    Write(std::move(batch));
  }
}

// The oldest spans as long as they are of one origin and fit.
SpanBatcher::Batch SpanBatcher::TakeBatch() {
  Batch batch;
  const SpanOrigin origin = pending_.front().origin;
  size_t size_bytes = 0;
  while (!pending_.empty() && batch.size() < options_.batch_spans_max) {
    Item& next = pending_.front();
    const bool fits = batch.empty() || size_bytes + next.span.size() <= options_.batch_bytes_max;
    if (!next.is_flush && (next.origin != origin || !fits)) break;
    size_bytes += next.span.size();
    batch.push_back(std::move(next));
    pending_.pop_front();
  }
  pending_bytes_ -= size_bytes;
  return batch;
}

void SpanBatcher::Write(Batch batch) {
  Batch good;
  Batch flushes;
  std::vector<OtlpSpan> spans;
  for (Item& item : batch) {
    if (item.is_flush) {
      flushes.push_back(std::move(item));
      continue;
    }
    Result<OtlpSpan> span = ToOtlp(item.span);
    if (!span.ok()) {
      Batch bad;
      bad.push_back(std::move(item));
      Answer(std::move(bad), span.status());
      continue;
    }
    spans.push_back(*std::move(span));
    good.push_back(std::move(item));
  }
  if (!good.empty()) {
    const Time until = good.front().came + std::chrono::milliseconds(options_.retry_ms_max);
    const WriteResult result = WriteToStore(good.front().origin, RequestOf(spans), until);
    const bool is_mixed = result.rejected_spans > 0 && good.size() > 1;
    if (is_mixed) {
      WriteOneByOne(std::move(good), std::move(spans));
    } else {
      Answer(std::move(good), result.status);
    }
  }
  Answer(std::move(flushes), Status::Ok());
}

// The store does not say which span it rejected (one with a value above the limit). So each is sent
// alone; those that were stored before are stored again, and read once.
void SpanBatcher::WriteOneByOne(Batch batch, std::vector<OtlpSpan> spans) {
  for (size_t i = 0; i < batch.size(); ++i) {
    const Time until = batch[i].came + std::chrono::milliseconds(options_.retry_ms_max);
    const WriteResult result =
        WriteToStore(batch[i].origin, RequestOf({std::move(spans[i])}), until);
    Batch one;
    one.push_back(std::move(batch[i]));
    Answer(std::move(one), result.status);
  }
}

WriteResult SpanBatcher::WriteToStore(const SpanOrigin& origin, const std::string& otlp,
                                      Time until) {
  for (;;) {
    WriteResult result = WriteOnce(origin, otlp, until);
    const uint64_t asked_ms = result.retry_after_ms > 0 ? result.retry_after_ms : kRetryDefaultMs;
    const uint64_t wait_ms = std::min(asked_ms, kRetryMsMax);
    if (!IsTransient(result.status) || std::chrono::steady_clock::now() >= until ||
        !Wait(origin, wait_ms)) {
      return result;
    }
  }
}

WriteResult SpanBatcher::WriteOnce(const SpanOrigin& origin, const std::string& otlp, Time until) {
  if (origin.headers) return WriteToOwner(*origin.headers, otlp, until);
  const Result<Store*> store = options_.gate->Get();
  if (store.ok()) return Ask(**store, {.tenant = origin.tenant, .otlp = otlp});
  WriteResult result;
  result.status = store.status();
  return result;
}

WriteResult SpanBatcher::WriteToOwner(const Headers& headers, const std::string& otlp, Time until) {
  if (otlp.size() > options_.request_bytes_max) {
    WriteResult result;
    result.status = Status::InvalidArgument("a span of " + std::to_string(otlp.size()) +
                                            " bytes is above the limit (request.size-max)");
    return result;
  }
  ExportHop hop(options_.forwarder, headers, otlp);
  // An owner that hangs gives no answer: what waits behind would wait for ever.
  until = std::max(until, std::chrono::steady_clock::now() + kLastTry);
  do {
    const auto now = std::chrono::steady_clock::now();
    const MutexLock lock(mu_);
    if (now >= until || now >= patience_until_) hop.Cancel();
  } while (!hop.WaitFor(kLookEvery));
  return hop.result();
}

bool SpanBatcher::Wait(const SpanOrigin& origin, uint64_t ms) {
  const MutexLock lock(mu_);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= patience_until_ || (stopping_ && !origin.headers)) return false;
    if (now >= until) return true;
    changed_.WaitFor(mu_, std::min<std::chrono::nanoseconds>(until - now, kLookEvery));
  }
}

void SpanBatcher::Answer(Batch batch, const Status& status) {
  if (batch.empty()) return;
  if (IsTransient(status)) {
    Log(LogLevel::kWarning, "spans of v1 clients are lost: the store did not take them",
        {{"spans", batch.size()}, {"why", status.message()}});
  }
  auto answered = std::make_shared<Batch>(std::move(batch));
  options_.replies->Submit([answered, status] {
    for (const Item& item : *answered) item.done(status);
  });
}

}  // namespace larder::v1
