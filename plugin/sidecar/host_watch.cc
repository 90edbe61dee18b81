#include "plugin/sidecar/host_watch.h"

#include <chrono>
#include <csignal>
#include <ctime>

#include <unistd.h>

namespace larder {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery(200);

sigset_t Terminate() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

HostWatch::HostWatch() : host_(getppid()) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = Terminate();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ = std::thread([this] { Watch(); });
}

HostWatch::~HostWatch() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  watcher_.join();
}

void HostWatch::set_grace_ms(uint64_t grace_ms) {
  const MutexLock lock(mu_);
  grace_ms_ = grace_ms;
}

void HostWatch::AskToStop(std::string_view why) {
  const MutexLock lock(mu_);
  if (why_.empty()) why_ = why;
  changed_.SignalAll();
}

std::string HostWatch::WaitFor(uint64_t ms) {
  const MutexLock lock(mu_);
  if (why_.empty()) changed_.WaitFor(mu_, std::chrono::milliseconds(ms));
  return why_;
}

void HostWatch::Watch() {
  const sigset_t set = Terminate();
  const timespec look_every = {0, std::chrono::nanoseconds(kLookEvery).count()};
  SteadyClock::time_point until = SteadyClock::time_point::max();
  for (;;) {
    const bool terminated = sigtimedwait(&set, nullptr, &look_every) == SIGTERM;
    const auto now = SteadyClock::now();
    if (terminated && until == SteadyClock::time_point::max()) {
      const MutexLock lock(mu_);
      until = now + std::chrono::milliseconds(grace_ms_);
    }
    if (getppid() != host_) AskToStop("the host is gone");
    if (now >= until) AskToStop("terminated");
    const MutexLock lock(mu_);
    if (ending_) return;
  }
}

}  // namespace larder
