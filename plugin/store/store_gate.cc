#include "plugin/store/store_gate.h"

#include <utility>

namespace larder {

void StoreGate::Open(Store* store) {
  const MutexLock lock(mu_);
  store_ = store;
}

void StoreGate::Close(std::string why) {
  const MutexLock lock(mu_);
  store_ = nullptr;
  why_closed_ = std::move(why);
}

Result<Store*> StoreGate::Get() const {
  const MutexLock lock(mu_);
  if (store_ == nullptr) return Status::Unavailable(why_closed_);
  return store_;
}

}  // namespace larder
