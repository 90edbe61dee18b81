#include "bench/pump.h"

#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "bench/process_facts.h"
#include "storage/base/mutex.h"

namespace larder::bench {
namespace {

struct Slot {
  Request request;
  double sent_us = 0;
};

class Pumper {
 public:
  Pumper(Workload* load, Target* target, uint32_t in_flight)
      : load_(load), target_(target), slots_(in_flight) {
    for (Slot& slot : slots_) free_.push_back(&slot);
  }

  Result<PumpResult> Run() {
    const double wall_start_us = NowUs();
    const double cpu_start_us = ThreadCpuUs();
    while (true) {
      Slot* const slot = TakeFree();
      if (slot == nullptr) break;
      const double making_us = ThreadCpuUs();
      const bool more = load_->Next(&slot->request);
      result_.generator_cpu_us += ThreadCpuUs() - making_us;
      if (!more) {
        Give(slot, &free_);
        break;
      }
      result_.spans += slot->request.span_count;
      result_.otlp_bytes += slot->request.otlp.size();
      ++result_.requests;
      slot->sent_us = NowUs();
      Send(slot);
    }
    WaitForAll();
    result_.wall_us = NowUs() - wall_start_us;
    result_.client_cpu_us = ThreadCpuUs() - cpu_start_us;
    const MutexLock lock(mu_);
    if (!failure_.ok()) return failure_;
    return std::move(result_);
  }

 private:
  void Send(Slot* slot) {
    target_->Send(slot->request.otlp,
                  [this, slot](const SendOutcome& outcome) { Done(slot, outcome); });
  }

  void Done(Slot* slot, const SendOutcome& outcome) {
    const StatusCode code = outcome.status.code();
    const MutexLock lock(mu_);
    if (code == StatusCode::kResourceExhausted || code == StatusCode::kUnavailable) {
      retry_ms_ = outcome.retry_after_ms;
      refused_.push_back(slot);
    } else {
      if (!outcome.status.ok()) failure_ = outcome.status;
      if (outcome.rejected_spans > 0) failure_ = Status::Internal("spans were rejected");
      result_.acks.Add(NowUs() - slot->sent_us);
      free_.push_back(slot);
    }
    changed_.Signal();
  }

  void Give(Slot* slot, std::deque<Slot*>* to) {
    const MutexLock lock(mu_);
    to->push_back(slot);
  }

  // A slot whose request is answered; null after a failure. Sends again what was refused.
  Slot* TakeFree() {
    while (true) {
      Slot* refused = nullptr;
      uint32_t wait_ms = 0;
      {
        const MutexLock lock(mu_);
        if (!failure_.ok()) return nullptr;
        if (!refused_.empty()) {
          refused = refused_.front();
          refused_.pop_front();
          wait_ms = retry_ms_;
          ++result_.retries;
        } else if (!free_.empty()) {
          Slot* const slot = free_.front();
          free_.pop_front();
          return slot;
        } else {
          changed_.Wait(mu_);
        }
      }
      if (refused == nullptr) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
      Send(refused);
    }
  }

  void WaitForAll() {
    std::vector<Slot*> answered;
    while (answered.size() < slots_.size()) {
      Slot* const slot = TakeFree();
      if (slot == nullptr) break;
      answered.push_back(slot);
    }
    const MutexLock lock(mu_);  // after a failure: callbacks still hold our slots
    while (answered.size() + free_.size() + refused_.size() < slots_.size()) changed_.Wait(mu_);
  }

  Workload* const load_;
  Target* const target_;
  std::vector<Slot> slots_;
  Mutex mu_;
  CondVar changed_;
  std::deque<Slot*> free_ GUARDED_BY(mu_);
  std::deque<Slot*> refused_ GUARDED_BY(mu_);
  uint32_t retry_ms_ GUARDED_BY(mu_) = 0;
  Status failure_ GUARDED_BY(mu_);
  PumpResult result_;  // acks and retries: guarded by mu_; the rest: the calling thread's
};

}  // namespace

Result<PumpResult> Pump(Workload* load, Target* target, uint32_t in_flight) {
  return Pumper(load, target, in_flight).Run();
}

}  // namespace larder::bench
