#include "storage/engine/duplicate_window.h"

namespace larder {

Hash128 RequestIdentity(TenantId tenant, std::string_view otlp) {
  Hash128 identity = HashWide(otlp);
  identity.high ^= (uint64_t{tenant} + 1) * 0x9e3779b97f4a7c15;
  return identity;
}

std::optional<DuplicateWindow::Outcome> DuplicateWindow::Find(const Hash128& identity,
                                                              uint64_t now_monotonic_ns) const {
  const auto seen = seen_.find(identity);
  if (seen == seen_.end()) return std::nullopt;
  if (now_monotonic_ns - seen->second.monotonic_ns > window_ns_) return std::nullopt;
  return seen->second.outcome;
}

void DuplicateWindow::Add(const Hash128& identity, Outcome outcome, uint64_t now_monotonic_ns) {
  while (!order_.empty()) {
    const auto oldest = seen_.find(order_.front());
    const bool old = now_monotonic_ns - oldest->second.monotonic_ns > window_ns_;
    if (!old && order_.size() < requests_max_) break;
    seen_.erase(oldest);
    order_.pop_front();
  }
  const auto [entry, added] = seen_.try_emplace(identity);
  entry->second = {.outcome = outcome, .monotonic_ns = now_monotonic_ns};
  if (added) order_.push_back(identity);
}

void DuplicateWindow::Clear() {
  seen_.clear();
  order_.clear();
}

}  // namespace larder
