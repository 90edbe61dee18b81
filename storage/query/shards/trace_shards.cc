#include "storage/query/shards/trace_shards.h"

#include <algorithm>
#include <utility>

namespace larder {

uint32_t ShardBitsFor(uint64_t count, uint64_t per_shard, uint32_t bits_max) {
  uint32_t bits = 0;
  while (bits < bits_max && (count >> bits) > per_shard) ++bits;
  return bits;
}

void AddTraceShard(std::vector<TraceIndexEntry> entries, uint32_t check_bits, TraceShards* shards,
                   PageWriter* pages) {
  for (TraceIndexEntry& entry : entries) entry.hash = shards->HashInShard(entry.hash);
  const std::vector<std::string> chunks = EncodeTraceIndex(std::move(entries), check_bits);
  const auto shard = static_cast<uint32_t>(shards->chunk_counts.size());
  shards->chunk_counts.push_back(static_cast<uint32_t>(chunks.size()));
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    pages->Add(TraceShards::KeyOf(shard, chunk), chunks[chunk]);
  }
}

void PutChunkCounts(std::string* out, const TraceShards& shards) {
  for (const uint32_t chunks : shards.chunk_counts) PutVarint(out, chunks);
}

bool GetChunkCounts(ByteReader* in, TraceShards* shards) {
  if (in->remaining_bytes() < shards->count()) return false;
  shards->chunk_counts.resize(shards->count());
  return std::all_of(shards->chunk_counts.begin(), shards->chunk_counts.end(),
                     [in](uint32_t& chunks) { return in->GetVarint32(&chunks) && chunks > 0; });
}

}  // namespace larder
