// A server in a process of its own, so that what it uses is told apart from what its load uses.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder::bench {

class ServerProcess {
 public:
  // REQUIRES: no other thread, and gRPC not yet used: the process is a fork of this one.
  static Result<std::unique_ptr<ServerProcess>> Start(const StoreOptions& store);
  // Ends the process.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Ends the process in order. kDataLoss: it has not stored just so many spans.
  Status Stop(uint64_t spans);

 private:
  ServerProcess(pid_t pid, int port, int orders) : pid_(pid), port_(port), orders_(orders) {}

  pid_t pid_;  // 0: ended
  const int port_;
  const int orders_;  // a pipe: how many spans there have to be
};

}  // namespace larder::bench
