// Holds back all but one of the threads with which gRPC's callback API polls, where it has two.
//
// With gRPC 1.51 that is clamp(cores / 2, 2, 16) threads on one completion queue; every event that
// one of them takes wakes the other as the next poller. On two cores those hand-overs cost more
// than the second thread gives (README.md). There is no setting for it, so a call that this
// makes to its own server ends in a callback that does not return until it is let go.
#pragma once

#include <memory>

#include <grpcpp/server.h>

namespace larder {

// At most one in a process holds a thread; others do nothing.
class PollerHold {
 public:
  // REQUIRES: a server that was started. It must outlive this.
  explicit PollerHold(grpc::Server* server);
  // Lets the thread go, and returns when it is out of here.
  ~PollerHold();
  PollerHold(const PollerHold&) = delete;
  PollerHold& operator=(const PollerHold&) = delete;

 private:
  struct Call;
  std::unique_ptr<Call> call_;  // null: holds nothing
};

}  // namespace larder
