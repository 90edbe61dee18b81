// The connections of a server, and which of them wait for a request.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "storage/base/mutex.h"

namespace larder {

// What the set needs of a connection. Both may be called from any thread.
class HeldConnection {
 public:
  virtual ~HeldConnection() = default;
  // Closes if it still waits for a request, else after the reply that is under way.
  virtual void CloseWhenIdle() = 0;
  // Closes now.
  virtual void Abort() = 0;
};

// Thread-safe. A connection is known by its address from Add to Remove.
class ConnectionSet {
 public:
  explicit ConnectionSet(uint32_t connections_max) : connections_max_(connections_max) {}

  // False when there is no room: then the connection that waits longest was told to close, and the
  // new one may come all the same if there was one.
  bool Add(const std::shared_ptr<HeldConnection>& connection);
  void Remove(const HeldConnection* connection);
  // Whether it waits for a request.
  void SetIdle(const HeldConnection* connection, bool is_idle);

  void CloseIdle();
  void AbortAll();
  // Whether all are gone before the time is over.
  bool WaitUntilEmpty(std::chrono::milliseconds timeout);

 private:
  struct Entry {
    std::weak_ptr<HeldConnection> connection;
    uint64_t idle_since = 0;  // a number that grows; 0: busy
  };
  std::shared_ptr<HeldConnection> LongestIdle() REQUIRES(mu_);

  const uint32_t connections_max_;
  Mutex mu_;
  CondVar changed_;
  std::map<const HeldConnection*, Entry> entries_ GUARDED_BY(mu_);
  std::map<uint64_t, const HeldConnection*> idle_ GUARDED_BY(mu_);  // by idle_since
  uint64_t next_ GUARDED_BY(mu_) = 1;
};

}  // namespace larder
