// The numbers of PARTITION.md that writer and reader share. All part of the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/ids.h"
#include "storage/segment/page/page_store.h"

namespace larder {

inline constexpr uint32_t kPartitionIndexVersion = 2;
inline constexpr uint32_t kIndexSegmentsMax = 1 << 12;
inline constexpr uint32_t kIndexShardBitsMax = 12;
inline constexpr uint32_t kIndexEdgesPerPage = 8192;

// Column of Section::kEdges.
inline constexpr uint32_t kIndexEdgeCounts = 0;

inline constexpr PageKey kIndexHeaderKey{Section::kHeader, 0, 0};
inline constexpr PageKey IndexTraceKey(uint32_t shard, uint32_t chunk) {
  return {Section::kTraceIndex, shard, chunk};
}
inline constexpr PageKey IndexEdgesKey(uint32_t page) {
  return {Section::kEdges, kIndexEdgeCounts, page};
}

// A trace belongs to the shard that the first bits of its hash name; in the shard it goes by the
// bits after them.
inline uint32_t IndexShardOf(uint64_t hash, uint32_t shard_bits) {
  return shard_bits == 0 ? 0 : static_cast<uint32_t>(hash >> (64 - shard_bits));
}
inline uint64_t IndexHashInShard(uint64_t hash, uint32_t shard_bits) { return hash << shard_bits; }

struct PartitionIndexHeader {
  uint64_t index_id = 0;
  TenantId tenant = 0;
  uint32_t shard_bits = 0;
  std::vector<uint64_t> segment_ids;
  std::vector<uint32_t> chunk_counts;  // by shard
  std::vector<std::string> services;   // by number
  uint32_t edge_pages = 0;
};

// Calls of one minute, as they are written; services by number.
struct IndexEdge {
  uint64_t minute = 0;
  uint32_t parent = 0;
  uint32_t child = 0;
  uint64_t count = 0;
  friend bool operator==(const IndexEdge&, const IndexEdge&) = default;
  friend auto operator<=>(const IndexEdge&, const IndexEdge&) = default;
};

// Page bodies. The decoders return false when the bytes make no sense; a header of a newer version
// decodes as far as its version.
std::string EncodeIndexHeader(const PartitionIndexHeader& header);
[[nodiscard]] bool DecodeIndexHeader(std::string_view body, uint32_t* version,
                                     PartitionIndexHeader* header);
// REQUIRES: sorted.
std::string EncodeIndexEdges(const std::vector<IndexEdge>& edges);
// Appends. `service_count` bounds the services.
[[nodiscard]] bool DecodeIndexEdges(std::string_view body, size_t service_count,
                                    std::vector<IndexEdge>* edges);

}  // namespace larder
