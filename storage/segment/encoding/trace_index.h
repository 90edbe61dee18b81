// A trace index: from the hash of a trace id to the places where its rows may lie. It answers
// "absent" with an error rate of about 1 in 256 and never misses a trace that it holds; whoever
// asks compares the trace ids at the place. The entries are sorted by hash and cut into chunks of
// about kTraceIndexChunkEntries; a hash tells its chunk, so a look-up reads one chunk.
//
// Used per segment (place: block) and per closed partition (place: whatever the engine packs).
//
// A hash keeps as many bits as tell the entries apart, and 8 more; neighbours are written as their
// distances. https://en.wikipedia.org/wiki/Quotient_filter keeps the same remainders unsorted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

inline constexpr uint32_t kTraceIndexChunkEntries = 2048;

struct TraceIndexEntry {
  uint64_t hash = 0;  // TraceIdHash
  uint32_t place = 0;
};

// What a kept hash has beyond the bits that number the entries: the error rate is 2^-8.
inline constexpr uint32_t kTraceIndexCheckBits = 8;

// The chunks' bodies of an index, in order; at least one. A hash may occur several times. With
// other `check_bits` the error rate is 2^-check_bits, for a bit of every entry more each.
std::vector<std::string> EncodeTraceIndex(std::vector<TraceIndexEntry> entries,
                                          uint32_t check_bits = kTraceIndexCheckBits);

// The chunk where a hash is found, of an index of `chunk_count` chunks. REQUIRES: chunk_count > 0.
uint32_t TraceIndexChunkOf(uint64_t hash, uint32_t chunk_count);

// A chunk decoded. Thread-compatible.
class TraceIndexChunk {
 public:
  // False when the bytes are not a chunk.
  [[nodiscard]] bool Decode(std::string_view body);
  // Appends the places of a hash that belongs to this chunk, in the order they were added.
  void Find(uint64_t hash, std::vector<uint32_t>* places) const;
  uint64_t memory_bytes() const;

 private:
  uint32_t shift_ = 0;          // a kept hash is a hash shifted right by this
  std::vector<uint64_t> kept_;  // ascending
  std::vector<uint32_t> places_;
};

}  // namespace larder
