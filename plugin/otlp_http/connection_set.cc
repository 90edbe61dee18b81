#include "plugin/otlp_http/connection_set.h"

#include <vector>

namespace larder {

std::shared_ptr<HeldConnection> ConnectionSet::LongestIdle() {
  while (!idle_.empty()) {
    const HeldConnection* const longest = idle_.begin()->second;
    idle_.erase(idle_.begin());
    Entry& entry = entries_[longest];
    entry.idle_since = 0;  // told once
    if (auto connection = entry.connection.lock()) return connection;
  }
  return nullptr;
}

bool ConnectionSet::Add(const std::shared_ptr<HeldConnection>& connection) {
  std::shared_ptr<HeldConnection> longest_idle;
  {
    const MutexLock lock(mu_);
    if (entries_.size() >= connections_max_) {
      longest_idle = LongestIdle();
      if (longest_idle == nullptr) return false;
    }
    entries_[connection.get()] = {.connection = connection};
  }
  // Outside the lock: a connection may end in here, and then calls Remove.
  if (longest_idle != nullptr) longest_idle->CloseWhenIdle();
  return true;
}

void ConnectionSet::Remove(const HeldConnection* connection) {
  const MutexLock lock(mu_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  idle_.erase(found->second.idle_since);
  entries_.erase(found);
  changed_.SignalAll();
}

void ConnectionSet::SetIdle(const HeldConnection* connection, bool is_idle) {
  const MutexLock lock(mu_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  idle_.erase(found->second.idle_since);
  found->second.idle_since = is_idle ? next_++ : 0;
  if (is_idle) idle_[found->second.idle_since] = connection;
}

void ConnectionSet::CloseIdle() {
  std::vector<std::shared_ptr<HeldConnection>> all;
  {
    const MutexLock lock(mu_);
    for (const auto& [address, entry] : entries_) all.push_back(entry.connection.lock());
  }
  for (const auto& connection : all) {
    if (connection != nullptr) connection->CloseWhenIdle();
  }
}

void ConnectionSet::AbortAll() {
  std::vector<std::shared_ptr<HeldConnection>> all;
  {
    const MutexLock lock(mu_);
    for (const auto& [address, entry] : entries_) all.push_back(entry.connection.lock());
  }
  for (const auto& connection : all) {
    if (connection != nullptr) connection->Abort();
  }
}

bool ConnectionSet::WaitUntilEmpty(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mu_);
  while (!entries_.empty()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    changed_.WaitFor(mu_, left);
  }
  return true;
}

}  // namespace larder
