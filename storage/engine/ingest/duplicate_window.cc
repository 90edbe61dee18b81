#include "storage/engine/ingest/duplicate_window.h"

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

void DuplicateWindow::Add(TenantId tenant, const Hash128& identity, Outcome outcome,
                          uint64_t now_monotonic_ns) {
  Identities& own = order_[tenant];
  ForgetOld(&own, now_monotonic_ns);
  const auto [entry, added] = seen_.try_emplace(identity);
  entry->second = {.outcome = outcome, .monotonic_ns = now_monotonic_ns};
  if (added) own.push_back(identity);
  while (seen_.size() > requests_max_) ForgetFirst(WhoGivesWay(tenant));
}

void DuplicateWindow::ForgetOld(Identities* identities, uint64_t now_monotonic_ns) {
  while (!identities->empty()) {
    const auto oldest = seen_.find(identities->front());
    if (now_monotonic_ns - oldest->second.monotonic_ns <= window_ns_) return;
    ForgetFirst(identities);
  }
}

void DuplicateWindow::ForgetFirst(Identities* identities) {
  seen_.erase(identities->front());
  identities->pop_front();
}

DuplicateWindow::Identities* DuplicateWindow::WhoGivesWay(TenantId tenant) {
  Identities* most = &order_[tenant];
  if (most->size() * order_.size() > requests_max_) return most;
  for (auto& [other, identities] : order_) {
    if (identities.size() > most->size()) most = &identities;
  }
  return most;
}

void DuplicateWindow::Clear() {
  seen_.clear();
  order_.clear();
}

void DuplicateWindow::Clear(TenantId tenant) {
  const auto identities = order_.find(tenant);
  if (identities == order_.end()) return;
  for (const Hash128& identity : identities->second) seen_.erase(identity);
  order_.erase(identities);
}

}  // namespace larder
