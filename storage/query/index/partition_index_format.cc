#include "storage/query/index/partition_index_format.h"

#include "storage/base/coding.h"

namespace larder {
namespace {

bool GetCount(ByteReader* in, uint64_t max, uint32_t* count) {
  return in->GetVarint32(count) && *count <= max;
}

}  // namespace

// version | index id | tenant | shard bits | count, segment ids | chunk count of each shard |
// count, services | edge pages: all varints, services length-prefixed
std::string EncodeIndexHeader(const PartitionIndexHeader& header) {
  std::string body;
  PutVarint(&body, kPartitionIndexVersion);
  PutVarint(&body, header.index_id);
  PutVarint(&body, header.tenant);
  PutVarint(&body, header.shards.bits);
  PutVarint(&body, header.segment_ids.size());
  for (const uint64_t id : header.segment_ids) PutVarint(&body, id);
  PutChunkCounts(&body, header.shards);
  PutVarint(&body, header.services.size());
  for (const std::string& service : header.services) PutLengthPrefixed(&body, service);
  PutVarint(&body, header.edge_pages);
  return body;
}

bool DecodeIndexHeader(std::string_view body, uint32_t* version, PartitionIndexHeader* header) {
  ByteReader in(body);
  if (!in.GetVarint32(version)) return false;
  if (*version != kPartitionIndexVersion) return *version > kPartitionIndexVersion;
  uint32_t count = 0;
  if (!in.GetVarint(&header->index_id) || !in.GetVarint32(&header->tenant)) return false;
  if (!GetCount(&in, kIndexShardBitsMax, &header->shards.bits)) return false;
  if (!GetCount(&in, kIndexSegmentsMax, &count) || count == 0) return false;
  header->segment_ids.resize(count);
  for (uint64_t& id : header->segment_ids) {
    if (!in.GetVarint(&id)) return false;
  }
  if (!GetChunkCounts(&in, &header->shards)) return false;
  if (!GetCount(&in, in.remaining_bytes(), &count)) return false;
  header->services.resize(count);
  for (std::string& service : header->services) {
    std::string_view name;
    if (!in.GetLengthPrefixed(&name)) return false;
    service = name;
  }
  return in.GetVarint32(&header->edge_pages) && in.empty();
}

}  // namespace larder
