// Where a bench sends its requests: a store in this process, or a server.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder::bench {

struct SendOutcome {
  Status status;
  uint32_t rejected_spans = 0;
  uint32_t retry_after_ms = 0;
};

class Target {
 public:
  virtual ~Target() = default;
  // `done` runs on another thread, or on this one before the call returns. `otlp` must not change
  // until then.
  virtual void Send(const std::string& otlp, std::function<void(SendOutcome)> done) = 0;
};

// `store` must outlive it.
std::unique_ptr<Target> MakeStoreTarget(Store* store);
// OTLP over gRPC, one channel, without TLS. The destructor waits for nothing: all calls must be
// done.
std::unique_ptr<Target> MakeServerTarget(const std::string& address);
// OTLP over HTTP in protobuf, `url` as http://HOST:PORT. The destructor waits for all calls.
std::unique_ptr<Target> MakeHttpTarget(const std::string& url, uint32_t connections);

}  // namespace larder::bench
