// Watches over messages that were handed to gRPC and not yet taken by their reader: bounds their
// bytes, and ends streams whose reader does not take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <thread>

#include <grpcpp/server_context.h>

#include "plugin/calls/worker_pool.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace larder {

struct StreamWatchOptions {
  uint64_t pending_bytes_max = 64ull << 20;  // of all streams; a message more may be in the making
                                             // on each thread of the pool
  uint64_t stall_ms_max = 120'000;           // a reader that takes nothing for so long is given up
  uint64_t stall_ms_max_when_full = 5'000;   // ... or for so long while others wait for room
  Clock* clock = &Clock::System();
};

struct StreamWatchNumbers {
  uint64_t pending_bytes = 0;          // now
  uint64_t stalled_streams_ended = 0;  // since the start
};

// Thread-safe.
class StreamWatch {
 public:
  // `pool` must outlive this.
  StreamWatch(const StreamWatchOptions& options, WorkerPool* pool);
  ~StreamWatch();
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  // True when there is room for one more message. Otherwise `resume` is handed to the pool once
  // there is.
  bool Enter(WorkerPool::Job resume);

  // A message is handed to gRPC, and taken. `context` must live until WriteEnded returns; it names
  // the stream, which has one message at a time.
  void WriteBegan(grpc::CallbackServerContext* context, uint64_t size_bytes);
  void WriteEnded(grpc::CallbackServerContext* context);

  StreamWatchNumbers numbers() const;

 private:
  struct Write {
    uint64_t size_bytes = 0;
    uint64_t began_ns = 0;
    bool cancelled = false;  // by the watcher; its end is on the way
    bool in_use = false;     // the watcher is at the context: WriteEnded waits
  };
  using Writes = std::map<grpc::CallbackServerContext*, Write>;

  void Watch();
  // The stream that stalled first, if it has for too long.
  Writes::iterator FindStalled() REQUIRES(mu_);
  void ResumeWaiting() REQUIRES(mu_);

  const StreamWatchOptions options_;
  WorkerPool* const pool_;
  mutable Mutex mu_;
  CondVar changed_;
  Writes writes_ GUARDED_BY(mu_);
  std::deque<WorkerPool::Job> waiting_ GUARDED_BY(mu_);
  StreamWatchNumbers numbers_ GUARDED_BY(mu_);
  bool ending_ GUARDED_BY(mu_) = false;
  std::thread watcher_;
};

}  // namespace larder
