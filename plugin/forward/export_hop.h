// One attempt to have the owner of the data directory store a request, awaited by a thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "plugin/forward/forwarder.h"
#include "storage/base/mutex.h"
#include "storage/engine/store.h"

namespace larder {

// Of one thread.
class ExportHop {
 public:
  // Sends the ExportTraceServiceRequest `otlp` on behalf of whom `headers` name to the owner's
  // guard. `forwarder` must outlive this.
  ExportHop(Forwarder* forwarder, const Headers& headers, std::string otlp);
  // Waits for the end of the attempt.
  ~ExportHop();
  ExportHop(const ExportHop&) = delete;
  ExportHop& operator=(const ExportHop&) = delete;

  // Whether the attempt has ended by then.
  bool WaitFor(std::chrono::milliseconds patience);
  void Cancel() { hop_->Cancel(); }
  // What Store::Write would say; kUnavailable also when the request or its answer got lost: it may
  // be stored or not, and the same bytes sent again are stored once. REQUIRES: it has ended.
  WriteResult result() const { return state_->result; }

 private:
  // Shared with the callback.
  struct State {
    Mutex mu;
    CondVar changed;
    bool has_ended GUARDED_BY(mu) = false;
    WriteResult result;  // set before has_ended
  };

  const std::shared_ptr<State> state_ = std::make_shared<State>();
  std::shared_ptr<UnaryHop> hop_;
};

}  // namespace larder
