// The numbers of PARTITION.md that writer and reader share. All part of the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/ids.h"
#include "storage/query/shards/trace_shards.h"
#include "storage/segment/page/page_store.h"

namespace larder {

inline constexpr uint32_t kPartitionIndexVersion = 2;
inline constexpr uint32_t kIndexSegmentsMax = 1 << 12;
inline constexpr uint32_t kIndexShardBitsMax = 12;
inline constexpr uint32_t kIndexEdgesPerPage = 8192;

// Column of Section::kEdges.
inline constexpr uint32_t kIndexEdgeCounts = 0;

inline constexpr PageKey kIndexHeaderKey{Section::kHeader, 0, 0};
inline constexpr PageKey IndexEdgesKey(uint32_t page) {
  return {Section::kEdges, kIndexEdgeCounts, page};
}

struct PartitionIndexHeader {
  uint64_t index_id = 0;
  TenantId tenant = 0;
  std::vector<uint64_t> segment_ids;
  TraceShards shards;
  std::vector<std::string> services;  // by number
  uint32_t edge_pages = 0;
};

// Page bodies. The decoders return false when the bytes make no sense; a header of a newer version
// decodes as far as its version.
std::string EncodeIndexHeader(const PartitionIndexHeader& header);
[[nodiscard]] bool DecodeIndexHeader(std::string_view body, uint32_t* version,
                                     PartitionIndexHeader* header);

}  // namespace larder
