// How a trace index over several segments is cut into shards: a trace belongs to the shard that the
// first bits of its TraceIdHash name, and each shard is a trace index
// (storage/segment/encoding/trace_index.h) of its own, whose places are segments and in which a
// trace goes by the bits of its hash after those. So writing holds the traces of one shard at a
// time. Part of the formats of PARTITION.md and COLD.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/page/page_writer.h"

namespace larder {

struct TraceShards {
  uint32_t bits = 0;
  std::vector<uint32_t> chunk_counts;  // by shard: how many pages it has, at least one

  uint32_t count() const { return uint32_t{1} << bits; }
  uint32_t ShardOf(uint64_t hash) const {
    return bits == 0 ? 0 : static_cast<uint32_t>(hash >> (64 - bits));
  }
  uint64_t HashInShard(uint64_t hash) const { return hash << bits; }
  static constexpr PageKey KeyOf(uint32_t shard, uint32_t chunk) {
    return {Section::kTraceIndex, shard, chunk};
  }
};

// The fewest bits with which an even share of `count` is `per_shard` at most; `bits_max` if it must
// be.
uint32_t ShardBitsFor(uint64_t count, uint64_t per_shard, uint32_t bits_max);

// Adds the pages of the next shard to `pages` and their number to `shards`. REQUIRES: `entries`
// are of that shard, with their whole hashes.
void AddTraceShard(std::vector<TraceIndexEntry> entries, uint32_t check_bits, TraceShards* shards,
                   PageWriter* pages);

// The number of pages of each shard, as varints. Get reads as many as the bits of `shards` say; it
// is false when the bytes make no sense.
void PutChunkCounts(std::string* out, const TraceShards& shards);
[[nodiscard]] bool GetChunkCounts(ByteReader* in, TraceShards* shards);

}  // namespace larder
