// Where services find the store. The server listens before the journal is replayed, so that a
// client gets "come again" and not a refused connection.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder {

// Thread-safe.
class StoreGate {
 public:
  // From now on services use `store`, which must outlive every call to it: the server ends its
  // calls (Server::Drain) before the store is destroyed.
  void Open(Store* store);
  // New calls are refused as unavailable; `why` is told to them.
  void Close(std::string why);

  // kUnavailable until Open and after Close.
  Result<Store*> Get() const;

 private:
  mutable Mutex mu_;
  Store* store_ GUARDED_BY(mu_) = nullptr;
  std::string why_closed_ GUARDED_BY(mu_) = "the store is opening and replays its journal";
};

// How long a client that met a closed gate should wait.
constexpr uint32_t kGateRetryMs = 1000;

}  // namespace larder
