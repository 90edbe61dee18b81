// Tells when a sidecar has to go: its host asked, died, or the machine shuts down.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include <sys/types.h>

#include "storage/base/mutex.h"

namespace larder {

// One per process, made before any other thread: it takes SIGTERM over. SIGINT, which Ctrl-C sends
// to the host too, and SIGPIPE are ignored: the host decides.
//
// Jaeger up to v1.56 never stops its plugin, so a host that is gone is noticed by the parent's
// process id. SIGTERM comes to host and plugin together when a service manager stops both, and the
// host still has spans to write: the plugin stays for its grace or until the host is gone.
class HostWatch {
 public:
  // As early as can be: a host that dies before is not noticed by its process id, but by the end of
  // the pipe that it reads the handshake from (sidecar.cc).
  HostWatch();
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  // Before it is set: 10 s.
  void set_grace_ms(uint64_t grace_ms);
  // From any thread.
  void AskToStop(std::string_view why);
  // Blocks until there is a reason to go, or for so long, and returns it; empty when there is none
  // yet.
  std::string WaitFor(uint64_t ms);

 private:
  void Watch();

  const pid_t host_;
  Mutex mu_;
  CondVar changed_;
  uint64_t grace_ms_ GUARDED_BY(mu_) = 10'000;
  std::string why_ GUARDED_BY(mu_);
  bool ending_ GUARDED_BY(mu_) = false;
  std::thread watcher_;
};

}  // namespace larder
