// Reads a trace index over several segments that is cut into shards (trace_shards.h): which of the
// segments may have rows of a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/shards/named_pages.h"
#include "storage/query/shards/trace_shards.h"
#include "storage/segment/page/page_cache.h"

namespace larder {

// One of several traces that are looked for, and a segment that may have rows of it.
struct TraceMatch {
  uint32_t trace = 0;    // which of them
  uint32_t segment = 0;  // which of the index's
};

// Thread-safe. A segment is its number among those of the index. Broken pages are kDataLoss.
class ShardedTraceIndex {
 public:
  // `pages` and `cache` must outlive the index.
  ShardedTraceIndex(const NamedPages* pages, PageCache* cache, TraceShards shards,
                    size_t segment_count);
  ~ShardedTraceIndex();
  ShardedTraceIndex(const ShardedTraceIndex&) = delete;
  ShardedTraceIndex& operator=(const ShardedTraceIndex&) = delete;

  // Appends the segments that may have rows of the trace, ascending, each once.
  Status Find(const TraceId& trace_id, std::vector<uint32_t>* segments) const;
  // The same of many traces, given by their TraceIdHash, ascending: appends a match for each hash
  // and segment. Each page is read once, and past the cache.
  Status FindAll(std::span<const uint64_t> hashes, std::vector<TraceMatch>* matches) const;
  // Reads every page; one line per fault.
  void Verify(std::vector<std::string>* faults) const;

 private:
  PageKey KeyOf(uint64_t hash) const;
  Result<std::shared_ptr<const CachedPage>> Load(PageKey key) const;

  const NamedPages* const pages_;
  PageCache* const cache_;
  const uint64_t cache_owner_;
  const TraceShards shards_;
  const size_t segment_count_;
};

}  // namespace larder
