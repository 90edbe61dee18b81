// A few threads that run what is handed to them, first come first served. Queries run here one
// step at a time, so that a stream between two steps holds no thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"

namespace larder {

// Thread-safe.
class WorkerPool {
 public:
  using Job = std::function<void()>;

  // `name` is what ps and top show, at most 15 bytes.
  WorkerPool(const std::string& name, size_t thread_count);
  // Runs what is still waiting, then ends the threads.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Submit(Job job);
  size_t waiting_count() const;

 private:
  void Run();

  mutable Mutex mu_;
  CondVar work_;
  std::deque<Job> jobs_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // written by the constructor and the destructor alone
};

}  // namespace larder
