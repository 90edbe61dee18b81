// Which traces a segment may have, for segments that no index covers yet.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <vector>

namespace larder {

// A Bloom filter of two bits over 16 to 32 for each trace: one look-up in 70 or less is in vain.
// Not thread-safe while it is filled.
class TraceFilter {
 public:
  explicit TraceFilter(uint64_t traces)
      : bits_(std::bit_ceil(std::max<uint64_t>(traces, 4) * 16) / 64) {}

  // `hash` is TraceIdHash.
  void Add(uint64_t hash) {
    Word(hash) |= Bit(hash);
    Word(hash >> 32) |= Bit(hash >> 32);
  }
  bool MayHold(uint64_t hash) const {
    return (Word(hash) & Bit(hash)) != 0 && (Word(hash >> 32) & Bit(hash >> 32)) != 0;
  }
  uint64_t memory_bytes() const { return bits_.capacity() * sizeof(uint64_t); }

 private:
  static uint64_t Bit(uint64_t part) { return uint64_t{1} << (part % 64); }
  uint64_t& Word(uint64_t part) { return bits_[(part & UINT32_MAX) / 64 & (bits_.size() - 1)]; }
  uint64_t Word(uint64_t part) const {
    return bits_[(part & UINT32_MAX) / 64 & (bits_.size() - 1)];
  }

  std::vector<uint64_t> bits_;  // a power of two of words
};

using TraceFilters = std::map<uint64_t, TraceFilter>;  // by segment

}  // namespace larder
