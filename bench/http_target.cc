#include <algorithm>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

#include "bench/export_reply.h"
#include "bench/target.h"
#include "storage/base/mutex.h"

namespace larder::bench {
namespace {

constexpr uint32_t kRetryMs = 20;  // the header has whole seconds
constexpr std::chrono::seconds kPatience(60);

struct Waiting {
  const std::string* otlp = nullptr;
  std::function<void(SendOutcome)> done;
};

SendOutcome OutcomeOf(const httplib::Result& reply) {
  if (!reply)
    return {.status = Status::Internal("no answer: " + httplib::to_string(reply.error()))};
  if (reply->status == 200)
    return {.status = Status::Ok(), .rejected_spans = RejectedSpans(reply->body)};
  const std::string what = "HTTP " + std::to_string(reply->status);
  if (reply->status == 429 || reply->status == 503) {
    return {.status = Status::Unavailable(what), .retry_after_ms = kRetryMs};
  }
  return {.status = Status::Internal(what)};
}

// One connection and one thread for each request that is under way: HTTP/1.1 has no other way.
class HttpTarget : public Target {
 public:
  HttpTarget(const std::string& url, uint32_t connections) {
    for (uint32_t i = 0; i < std::max(connections, 1u); ++i) {
      threads_.emplace_back([this, url] { Run(url); });
    }
  }
  ~HttpTarget() override {
    {
      const MutexLock lock(mu_);
      stopping_ = true;
      changed_.SignalAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  void Send(const std::string& otlp, std::function<void(SendOutcome)> done) override {
    const MutexLock lock(mu_);
    waiting_.push_back({&otlp, std::move(done)});
    changed_.Signal();
  }

 private:
  bool Take(Waiting* next) {
    const MutexLock lock(mu_);
    while (waiting_.empty() && !stopping_) changed_.Wait(mu_);
    if (waiting_.empty()) return false;
    *next = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
  }

  void Run(const std::string& url) {
    httplib::Client client(url);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_read_timeout(kPatience);
    for (Waiting next; Take(&next);) {
      next.done(OutcomeOf(client.Post("/v1/traces", *next.otlp, "application/x-protobuf")));
    }
  }

  Mutex mu_;
  CondVar changed_;
  std::deque<Waiting> waiting_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Target> MakeHttpTarget(const std::string& url, uint32_t connections) {
  return std::make_unique<HttpTarget>(url, connections);
}

}  // namespace larder::bench
