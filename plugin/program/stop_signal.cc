#include "plugin/program/stop_signal.h"

#include <chrono>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "storage/base/log.h"

namespace larder {
namespace {

// The end of the watcher itself; nobody else sends it.
constexpr int kEndOfWatch = SIGUSR2;

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, kEndOfWatch);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ = std::thread([this] { Watch(); });
}

StopSignal::~StopSignal() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  pthread_kill(watcher_.native_handle(), kEndOfWatch);
  watcher_.join();
}

bool StopSignal::WaitFor(uint64_t ms) {
  const MutexLock lock(mu_);
  if (!asked_) changed_.WaitFor(mu_, std::chrono::milliseconds(ms));
  return asked_;
}

bool StopSignal::asked() const {
  const MutexLock lock(mu_);
  return asked_;
}

void StopSignal::Watch() {
  const sigset_t set = Watched();
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    const MutexLock lock(mu_);
    if (signal == kEndOfWatch) {
      if (ending_) return;
      continue;
    }
    if (asked_) {
      Log(LogLevel::kWarning, "second signal: exiting at once; the next start replays the journal");
      _exit(128 + signal);
    }
    Log(LogLevel::kInfo, "stopping; a second signal exits at once");
    asked_ = true;
    changed_.SignalAll();
  }
}

}  // namespace larder
