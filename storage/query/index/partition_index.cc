#include "storage/query/index/partition_index.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "storage/query/index/partition_index_format.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

class CachedChunk : public CachedPage {
 public:
  uint64_t memory_bytes() const override { return chunk.memory_bytes(); }
  TraceIndexChunk chunk;
};

class Reader : public PartitionIndex {
 public:
  Reader(std::unique_ptr<PageSource> pages, PageCache* cache)
      : pages_(std::move(pages)), cache_(cache), cache_owner_(cache->NewOwner()) {}
  ~Reader() override { cache_->Erase(cache_owner_); }

  Status ReadHeader() {
    std::string body;
    LARDER_RETURN_IF_ERROR(ReadPage(kIndexHeaderKey, &body));
    uint32_t version = 0;
    if (!DecodeIndexHeader(body, &version, &header_)) return PageFault(kIndexHeaderKey, "header");
    if (version > kPartitionIndexVersion) {
      return Status::FailedPrecondition("partition index of version " + std::to_string(version) +
                                        ", written by a newer larder; this one reads " +
                                        std::to_string(kPartitionIndexVersion));
    }
    info_.index_id = header_.index_id;
    info_.tenant = header_.tenant;
    info_.segment_ids = header_.segment_ids;
    return Status::Ok();
  }

  const PartitionIndexInfo& info() const override { return info_; }

  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* segments) const override {
    const uint64_t hash = TraceIdHash(trace_id);
    const uint64_t in_shard = IndexHashInShard(hash, header_.shard_bits);
    const PageKey key = KeyOf(hash);
    LARDER_ASSIGN_OR_RETURN(
        const std::shared_ptr<const CachedPage> page,
        cache_->Get(cache_owner_, key,
                    [&]() -> Result<std::shared_ptr<const CachedPage>> { return LoadChunk(key); }));
    std::vector<uint32_t> found;
    static_cast<const CachedChunk&>(*page).chunk.Find(in_shard, &found);
    // Two traces whose hashes look alike may name a segment twice.
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    if (!found.empty() && found.back() >= header_.segment_ids.size()) {
      return Named(PageFault(key, "segment"));
    }
    segments->insert(segments->end(), found.begin(), found.end());
    return Status::Ok();
  }

  Status FindTraces(std::span<const uint64_t> hashes,
                    std::vector<IndexMatch>* matches) const override {
    PageKey open_key;
    std::shared_ptr<const CachedPage> page;
    std::vector<uint32_t> found;
    for (uint32_t i = 0; i < hashes.size(); ++i) {
      const uint64_t in_shard = IndexHashInShard(hashes[i], header_.shard_bits);
      const PageKey key = KeyOf(hashes[i]);
      if (page == nullptr || key != open_key) {
        LARDER_ASSIGN_OR_RETURN(page, LoadChunk(key));
        open_key = key;
      }
      found.clear();
      static_cast<const CachedChunk&>(*page).chunk.Find(in_shard, &found);
      for (const uint32_t segment : found) {
        if (segment >= header_.segment_ids.size()) return Named(PageFault(key, "segment"));
        matches->push_back({i, segment});
      }
    }
    return Status::Ok();
  }

  Status Edges(std::vector<EdgeCount>* edges) const override {
    std::vector<IndexEdge> numbered;
    for (uint32_t page = 0; page < header_.edge_pages; ++page) {
      const PageKey key = IndexEdgesKey(page);
      std::string body;
      LARDER_RETURN_IF_ERROR(ReadPage(key, &body));
      if (!DecodeIndexEdges(body, header_.services.size(), &numbered)) {
        return Named(PageFault(key, "edges"));
      }
    }
    for (const IndexEdge& edge : numbered) {
      edges->push_back(
          {header_.services[edge.parent], header_.services[edge.child], edge.minute, edge.count});
    }
    return Status::Ok();
  }

  Status Verify(std::vector<std::string>* faults) const override {
    const auto note = [faults](const Status& status) {
      if (!status.ok()) faults->push_back(status.ToString());
    };
    for (uint32_t shard = 0; shard < header_.chunk_counts.size(); ++shard) {
      for (uint32_t chunk = 0; chunk < header_.chunk_counts[shard]; ++chunk) {
        note(LoadChunk(IndexTraceKey(shard, chunk)).status());
      }
    }
    std::vector<EdgeCount> edges;
    note(Edges(&edges));
    return Status::Ok();
  }

 private:
  Status Named(const Status& status) const {
    return status.With("partition index " + std::to_string(header_.index_id));
  }

  // The page of a trace's hash.
  PageKey KeyOf(uint64_t hash) const {
    const uint32_t shard = IndexShardOf(hash, header_.shard_bits);
    const uint64_t in_shard = IndexHashInShard(hash, header_.shard_bits);
    return IndexTraceKey(shard, TraceIndexChunkOf(in_shard, header_.chunk_counts[shard]));
  }

  Status ReadPage(PageKey key, std::string* body) const {
    const Result<PageBytes> page = pages_->Get(key);
    if (!page.ok()) return Named(page.status().With("page " + key.ToString()));
    return Named(DecodePage(key, page->view(), body));
  }

  Result<std::shared_ptr<const CachedPage>> LoadChunk(PageKey key) const {
    std::string body;
    LARDER_RETURN_IF_ERROR(ReadPage(key, &body));
    auto loaded = std::make_shared<CachedChunk>();
    if (!loaded->chunk.Decode(body)) return Named(PageFault(key, "trace index"));
    return std::shared_ptr<const CachedPage>(std::move(loaded));
  }

  const std::unique_ptr<PageSource> pages_;
  PageCache* const cache_;
  const uint64_t cache_owner_;
  PartitionIndexHeader header_;
  PartitionIndexInfo info_;
};

}  // namespace

Result<std::shared_ptr<const PartitionIndex>> PartitionIndex::Open(
    std::unique_ptr<PageSource> pages, PageCache* cache) {
  auto reader = std::make_shared<Reader>(std::move(pages), cache);
  LARDER_RETURN_IF_ERROR(reader->ReadHeader());
  return std::shared_ptr<const PartitionIndex>(std::move(reader));
}

}  // namespace larder
