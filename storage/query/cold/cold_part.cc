#include "storage/query/cold/cold_part.h"

#include <algorithm>
#include <utility>

#include "storage/base/hash.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

constexpr uint64_t kHourNs = 3600ull * 1'000'000'000;

class CachedChunk : public CachedPage {
 public:
  uint64_t memory_bytes() const override { return chunk.memory_bytes(); }
  TraceIndexChunk chunk;
};

class Reader : public ColdPart {
 public:
  Reader(std::unique_ptr<PageSource> pages, PageCache* cache)
      : pages_(std::move(pages)), cache_(cache), cache_owner_(cache->NewOwner()) {}
  ~Reader() override { cache_->Erase(cache_owner_); }

  Status ReadFacts() {
    std::string body;
    LARDER_RETURN_IF_ERROR(ReadPage(kColdFactsKey, &body));
    uint32_t version = 0;
    if (!DecodeColdFacts(body, &version, &facts_)) return PageFault(kColdFactsKey, "facts");
    if (version <= kColdPartVersion) return Status::Ok();
    return Status::FailedPrecondition("cold part of version " + std::to_string(version) +
                                      ", written by a newer larder; this one reads " +
                                      std::to_string(kColdPartVersion));
  }

  const ColdFacts& facts() const override { return facts_; }

  std::string Name() const override {
    return "partition " + std::to_string(facts_.partition) + " in the cold tier";
  }

  Status FindTrace(const TraceId& trace_id, std::vector<uint64_t>* segments) const override {
    const uint64_t hash = TraceIdHash(trace_id);
    const uint32_t shard =
        facts_.shard_bits == 0 ? 0 : static_cast<uint32_t>(hash >> (64 - facts_.shard_bits));
    const uint64_t in_shard = hash << facts_.shard_bits;
    const PageKey key =
        ColdTraceKey(shard, TraceIndexChunkOf(in_shard, facts_.chunk_counts[shard]));
    LARDER_ASSIGN_OR_RETURN(
        const std::shared_ptr<const CachedPage> page,
        cache_->Get(cache_owner_, key,
                    [&]() -> Result<std::shared_ptr<const CachedPage>> { return LoadChunk(key); }));
    std::vector<uint32_t> found;
    static_cast<const CachedChunk&>(*page).chunk.Find(in_shard, &found);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (const uint32_t segment : found) {
      if (segment >= facts_.segment_ids.size()) return PageFault(key, "segment").With(Name());
      segments->push_back(facts_.segment_ids[segment]);
    }
    return Status::Ok();
  }

  bool MayStartIn(TimeRange range) const override {
    if (range.max_ns < facts_.start.min_ns || range.min_ns > facts_.start.max_ns) return false;
    const auto first =
        std::lower_bound(facts_.hours.begin(), facts_.hours.end(), range.min_ns / kHourNs,
                         [](const ColdHour& hour, uint64_t wanted) { return hour.hour < wanted; });
    return first != facts_.hours.end() && first->hour <= range.max_ns / kHourNs;
  }

  Status Calls(std::vector<ColdCall>* calls) const override {
    std::string body;
    LARDER_RETURN_IF_ERROR(ReadPage(kColdCallsKey, &body));
    if (!DecodeColdCalls(body, calls)) return PageFault(kColdCallsKey, "calls").With(Name());
    return Status::Ok();
  }

  Status Verify(std::vector<std::string>* faults) const override {
    const auto note = [faults](const Status& status) {
      if (!status.ok()) faults->push_back(status.ToString());
    };
    for (uint32_t shard = 0; shard < facts_.chunk_counts.size(); ++shard) {
      for (uint32_t chunk = 0; chunk < facts_.chunk_counts[shard]; ++chunk) {
        note(LoadChunk(ColdTraceKey(shard, chunk)).status());
      }
    }
    std::vector<ColdCall> calls;
    note(Calls(&calls));
    return Status::Ok();
  }

 private:
  Status ReadPage(PageKey key, std::string* body) const {
    const Result<PageBytes> page = pages_->Get(key);
    if (!page.ok()) return page.status().With("page " + key.ToString()).With(Name());
    return DecodePage(key, page->view(), body).With(Name());
  }

  Result<std::shared_ptr<const CachedPage>> LoadChunk(PageKey key) const {
    std::string body;
    LARDER_RETURN_IF_ERROR(ReadPage(key, &body));
    auto loaded = std::make_shared<CachedChunk>();
    if (!loaded->chunk.Decode(body)) return PageFault(key, "trace index").With(Name());
    return std::shared_ptr<const CachedPage>(std::move(loaded));
  }

  const std::unique_ptr<PageSource> pages_;
  PageCache* const cache_;
  const uint64_t cache_owner_;
  ColdFacts facts_;
};

}  // namespace

Result<std::shared_ptr<const ColdPart>> ColdPart::Open(std::unique_ptr<PageSource> pages,
                                                       PageCache* cache) {
  auto reader = std::make_shared<Reader>(std::move(pages), cache);
  LARDER_RETURN_IF_ERROR(reader->ReadFacts());
  return std::shared_ptr<const ColdPart>(std::move(reader));
}

}  // namespace larder
