// Calls between services by the minute of the child's start.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "storage/query/edges/service_pairs.h"

namespace larder {

// How many calls more (or fewer) a minute has. The minute is start_ns / 60e9.
struct MinuteCalls {
  uint64_t minute = 0;
  CallId call = 0;
  int64_t count = 0;
};

using CallCounts = std::unordered_map<CallId, int64_t>;

// Adds up changes in any order. Not thread-safe.
class CallChanges {
 public:
  void Add(uint64_t minute, CallId call, int64_t count) { counts_[{minute, call}] += count; }
  // Sorted by minute, then call; those that came to nothing are left out.
  std::vector<MinuteCalls> Sorted() const;

 private:
  struct Key {
    uint64_t minute = 0;
    CallId call = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hasher {
    size_t operator()(const Key& key) const {
      return static_cast<size_t>(key.minute * 0x9e3779b97f4a7c15 ^ key.call * 0xc2b2ae3d27d4eb4f);
    }
  };
  std::unordered_map<Key, int64_t, Hasher> counts_;
};

// 24 bytes for each pair of services that called each other in a minute. Not thread-safe.
class CallTable {
 public:
  void Apply(const CallChanges& changes);
  // Adds the calls of minutes [first, last] to `counts`.
  void AddTo(uint64_t first_minute, uint64_t last_minute, CallCounts* counts) const;
  const std::vector<MinuteCalls>& calls() const { return calls_; }
  uint64_t memory_bytes() const { return calls_.capacity() * sizeof(MinuteCalls); }

 private:
  std::vector<MinuteCalls> calls_;  // sorted by minute, then call; none is zero
};

}  // namespace larder
