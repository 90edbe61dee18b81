#include "storage/query/shards/sharded_trace_index.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

class CachedChunk : public CachedPage {
 public:
  uint64_t memory_bytes() const override { return chunk.memory_bytes(); }
  TraceIndexChunk chunk;
};

const TraceIndexChunk& ChunkOf(const CachedPage& page) {
  return static_cast<const CachedChunk&>(page).chunk;
}

}  // namespace

ShardedTraceIndex::ShardedTraceIndex(const NamedPages* pages, PageCache* cache, TraceShards shards,
                                     size_t segment_count)
    : pages_(pages),
      cache_(cache),
      cache_owner_(cache->NewOwner()),
      shards_(std::move(shards)),
      segment_count_(segment_count) {}

ShardedTraceIndex::~ShardedTraceIndex() { cache_->Erase(cache_owner_); }

PageKey ShardedTraceIndex::KeyOf(uint64_t hash) const {
  const uint32_t shard = shards_.ShardOf(hash);
  return TraceShards::KeyOf(
      shard, TraceIndexChunkOf(shards_.HashInShard(hash), shards_.chunk_counts[shard]));
}

Status ShardedTraceIndex::Find(const TraceId& trace_id, std::vector<uint32_t>* segments) const {
  const uint64_t hash = TraceIdHash(trace_id);
  const PageKey key = KeyOf(hash);
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const CachedPage> page,
                          cache_->Get(cache_owner_, key, [&] { return Load(key); }));
  std::vector<uint32_t> found;
  ChunkOf(*page).Find(shards_.HashInShard(hash), &found);
  // Two traces whose hashes look alike may name a segment twice.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (!found.empty() && found.back() >= segment_count_) return pages_->Fault(key, "segment");
  segments->insert(segments->end(), found.begin(), found.end());
  return Status::Ok();
}

Status ShardedTraceIndex::FindAll(std::span<const uint64_t> hashes,
                                  std::vector<TraceMatch>* matches) const {
  PageKey open_key;
  std::shared_ptr<const CachedPage> page;
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < hashes.size(); ++i) {
    const PageKey key = KeyOf(hashes[i]);
    if (page == nullptr || key != open_key) {
      LARDER_ASSIGN_OR_RETURN(page, Load(key));
      open_key = key;
    }
    found.clear();
    ChunkOf(*page).Find(shards_.HashInShard(hashes[i]), &found);
    for (const uint32_t segment : found) {
      if (segment >= segment_count_) return pages_->Fault(key, "segment");
      matches->push_back({i, segment});
    }
  }
  return Status::Ok();
}

void ShardedTraceIndex::Verify(std::vector<std::string>* faults) const {
  for (uint32_t shard = 0; shard < shards_.count(); ++shard) {
    for (uint32_t chunk = 0; chunk < shards_.chunk_counts[shard]; ++chunk) {
      const Status status = Load(TraceShards::KeyOf(shard, chunk)).status();
      if (!status.ok()) faults->push_back(status.ToString());
    }
  }
}

Result<std::shared_ptr<const CachedPage>> ShardedTraceIndex::Load(PageKey key) const {
  std::string body;
  LARDER_RETURN_IF_ERROR(pages_->Read(key, &body));
  auto loaded = std::make_shared<CachedChunk>();
  if (!loaded->chunk.Decode(body)) return pages_->Fault(key, "trace index");
  return std::shared_ptr<const CachedPage>(std::move(loaded));
}

}  // namespace larder
