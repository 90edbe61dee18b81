#include "plugin/calls/worker_pool.h"

#include <utility>

#include <pthread.h>

namespace larder {

WorkerPool::WorkerPool(const std::string& name, size_t thread_count) {
  threads_.reserve(thread_count);
  for (size_t i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  work_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Submit(Job job) {
  {
    const MutexLock lock(mu_);
    jobs_.push_back(std::move(job));
  }
  work_.Signal();
}

size_t WorkerPool::waiting_count() const {
  const MutexLock lock(mu_);
  return jobs_.size();
}

void WorkerPool::Run() {
  for (;;) {
    Job job;
    {
      const MutexLock lock(mu_);
      while (jobs_.empty() && !stopping_) work_.Wait(mu_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace larder
