#include "plugin/calls/stream_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;
constexpr uint64_t kLookEveryMsMax = 1000;

}  // namespace

StreamWatch::StreamWatch(const StreamWatchOptions& options, WorkerPool* pool)
    : options_(options), pool_(pool), watcher_([this] { Watch(); }) {}

StreamWatch::~StreamWatch() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  changed_.SignalAll();
  watcher_.join();
}

bool StreamWatch::Enter(WorkerPool::Job resume) {
  const MutexLock lock(mu_);
  if (numbers_.pending_bytes < options_.pending_bytes_max) return true;
  waiting_.push_back(std::move(resume));
  return false;
}

void StreamWatch::WriteBegan(grpc::CallbackServerContext* context, uint64_t size_bytes) {
  const uint64_t now_ns = options_.clock->MonotonicNanos();
  const MutexLock lock(mu_);
  const bool added = writes_.emplace(context, Write{size_bytes, now_ns}).second;
  LARDER_CHECK(added);
  numbers_.pending_bytes += size_bytes;
}

void StreamWatch::WriteEnded(grpc::CallbackServerContext* context) {
  const MutexLock lock(mu_);
  const auto found = writes_.find(context);
  LARDER_CHECK(found != writes_.end());
  // Cancelling may end the write on the watcher's own thread, inside of its call.
  const bool is_watcher = std::this_thread::get_id() == watcher_.get_id();
  while (found->second.in_use && !is_watcher) changed_.Wait(mu_);
  numbers_.pending_bytes -= found->second.size_bytes;
  writes_.erase(found);
  ResumeWaiting();
}

StreamWatchNumbers StreamWatch::numbers() const {
  const MutexLock lock(mu_);
  return numbers_;
}

void StreamWatch::ResumeWaiting() {
  // All of them: each asks for room again, since some may end without a message.
  if (numbers_.pending_bytes >= options_.pending_bytes_max) return;
  while (!waiting_.empty()) {
    pool_->Submit(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

StreamWatch::Writes::iterator StreamWatch::FindStalled() {
  const uint64_t stall_ms = waiting_.empty()
                                ? options_.stall_ms_max
                                : std::min(options_.stall_ms_max, options_.stall_ms_max_when_full);
  const uint64_t now_ns = options_.clock->MonotonicNanos();
  auto oldest = writes_.end();
  for (auto write = writes_.begin(); write != writes_.end(); ++write) {
    if (write->second.cancelled) continue;
    if (oldest == writes_.end() || write->second.began_ns < oldest->second.began_ns) oldest = write;
  }
  if (oldest == writes_.end() || now_ns - oldest->second.began_ns < stall_ms * kNanosPerMilli) {
    return writes_.end();
  }
  return oldest;
}

void StreamWatch::Watch() {
  const uint64_t look_every_ms =
      std::min({kLookEveryMsMax, options_.stall_ms_max, options_.stall_ms_max_when_full});
  mu_.Lock();
  while (!ending_) {
    const auto stalled = FindStalled();
    if (stalled == writes_.end()) {
      changed_.WaitFor(mu_, std::chrono::milliseconds(look_every_ms));
      continue;
    }
    grpc::CallbackServerContext* const context = stalled->first;
    stalled->second.cancelled = true;
    stalled->second.in_use = true;
    ++numbers_.stalled_streams_ended;
    mu_.Unlock();
    Log(LogLevel::kWarning, "a stream is ended: its reader took nothing for too long",
        {{"peer", context->peer()}});
    context->TryCancel();
    mu_.Lock();
    // The write may have ended on this very thread, and a new stream may have the same context.
    const auto again = writes_.find(context);
    if (again != writes_.end()) again->second.in_use = false;
    changed_.SignalAll();
  }
  mu_.Unlock();
}

}  // namespace larder
