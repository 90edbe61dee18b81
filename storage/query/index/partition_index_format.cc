#include "storage/query/index/partition_index_format.h"

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"

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
  PutVarint(&body, header.shard_bits);
  PutVarint(&body, header.segment_ids.size());
  for (const uint64_t id : header.segment_ids) PutVarint(&body, id);
  for (const uint32_t count : header.chunk_counts) PutVarint(&body, count);
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
  if (!GetCount(&in, kIndexShardBitsMax, &header->shard_bits)) return false;
  if (!GetCount(&in, kIndexSegmentsMax, &count) || count == 0) return false;
  header->segment_ids.resize(count);
  for (uint64_t& id : header->segment_ids) {
    if (!in.GetVarint(&id)) return false;
  }
  header->chunk_counts.resize(size_t{1} << header->shard_bits);
  for (uint32_t& chunks : header->chunk_counts) {
    if (!in.GetVarint32(&chunks) || chunks == 0) return false;
  }
  if (!GetCount(&in, in.remaining_bytes(), &count)) return false;
  header->services.resize(count);
  for (std::string& service : header->services) {
    std::string_view name;
    if (!in.GetLengthPrefixed(&name)) return false;
    service = name;
  }
  return in.GetVarint32(&header->edge_pages) && in.empty();
}

// distances of minutes (numbers) | parents (codes) | children (codes) | counts (numbers)
std::string EncodeIndexEdges(const std::vector<IndexEdge>& edges) {
  std::vector<uint64_t> minutes;
  std::vector<uint32_t> parents;
  std::vector<uint32_t> children;
  std::vector<uint64_t> counts;
  uint64_t before = 0;
  for (const IndexEdge& edge : edges) {
    minutes.push_back(edge.minute - before);
    before = edge.minute;
    parents.push_back(edge.parent);
    children.push_back(edge.child);
    counts.push_back(edge.count);
  }
  std::string body;
  EncodeNumbers(minutes, &body);
  EncodeCodes(parents, &body);
  EncodeCodes(children, &body);
  EncodeNumbers(counts, &body);
  return body;
}

bool DecodeIndexEdges(std::string_view body, size_t service_count, std::vector<IndexEdge>* edges) {
  ByteReader in(body);
  std::vector<uint64_t> minutes;
  std::vector<uint32_t> parents;
  std::vector<uint32_t> children;
  std::vector<uint64_t> counts;
  if (!DecodeNumbers(&in, &minutes) || !DecodeCodes(&in, &parents)) return false;
  if (!DecodeCodes(&in, &children) || !DecodeNumbers(&in, &counts) || !in.empty()) return false;
  const size_t size = minutes.size();
  if (parents.size() != size || children.size() != size || counts.size() != size) return false;
  uint64_t minute = 0;
  for (size_t i = 0; i < size; ++i) {
    minute += minutes[i];
    if (parents[i] >= service_count || children[i] >= service_count) return false;
    edges->push_back({minute, parents[i], children[i], counts[i]});
  }
  return true;
}

// count varint | a bit for each, lowest first
}  // namespace larder
