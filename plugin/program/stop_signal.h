// SIGTERM and SIGINT as something to wait for.
#pragma once

#include <cstdint>
#include <thread>

#include "storage/base/mutex.h"

namespace larder {

// One per process, made before any other thread, so that every thread leaves these signals to it.
// A second signal ends the process at once.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Blocks until the first signal, or for so long. True: it came.
  bool WaitFor(uint64_t ms);
  bool asked() const;

 private:
  void Watch();

  mutable Mutex mu_;
  CondVar changed_;
  bool asked_ GUARDED_BY(mu_) = false;
  bool ending_ GUARDED_BY(mu_) = false;
  std::thread watcher_;
};

}  // namespace larder
