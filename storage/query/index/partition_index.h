// PartitionIndex: what a partition knows of several of its segments together, so that a question
// asks one place instead of each: which segments may have rows of a trace, and which service called
// which, exactly, whatever segment the spans lie in. PARTITION.md specifies the bytes.
//
// Written once when a partition closes, and, while it is open, for each run of some 16 segments.
// It repeats nothing of the segments and is of no use without them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/shards/sharded_trace_index.h"
#include "storage/query/view.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/segment.h"

namespace larder {

// Segments of an open partition that get an index together.
inline constexpr size_t kIndexGroupSegments = 16;

struct PartitionIndexInfo {
  uint64_t index_id = 0;
  TenantId tenant = 0;
  std::vector<uint64_t> segment_ids;
  uint64_t size_bytes = 0;  // all pages; 0 when it was opened, not written
};

struct PartitionIndexOptions {
  uint64_t index_id = 0;  // from the numbers that segment ids are of: unique for ever
  TenantId tenant = 0;
  int zstd_level = 1;
  const std::atomic<bool>* cancelled = nullptr;  // stops the writing (kCancelled)
  uint64_t rows_per_pass = 1 << 19;              // bounds the memory of writing
};

// Which of `segments` (of one tenant and partition, by arrival) share an index: runs of bounded
// size, the largest that cost little memory to write. For a partition that closes.
std::vector<std::vector<SourceEntry>> SplitForIndexes(const std::vector<SourceEntry>& segments);

// Puts the index of `segments` into `sink`, in key order. Reads every segment's ids, and the facts
// of traces that lie in several. Memory: about 64 MiB at most. A segment that cannot be read is its
// kDataLoss: leave it out, and it is asked by itself. REQUIRES: one segment at least.
Result<PartitionIndexInfo> WritePartitionIndex(const std::vector<SourceEntry>& segments,
                                               const PartitionIndexOptions& options,
                                               PageSink* sink);

// Thread-safe. Broken pages are kDataLoss and name themselves.
class PartitionIndex {
 public:
  // Reads the header. kFailedPrecondition when a newer version wrote it. `cache` must outlive the
  // index.
  static Result<std::shared_ptr<const PartitionIndex>> Open(std::unique_ptr<PageSource> pages,
                                                            PageCache* cache);
  virtual ~PartitionIndex() = default;

  virtual const PartitionIndexInfo& info() const = 0;
  // Appends which segments (places in info().segment_ids) may have rows of the trace, ascending;
  // about one in 256 has none.
  virtual Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* segments) const = 0;
  // The same of many traces, given by their TraceIdHash, ascending: appends a match for each hash
  // and segment. Each page is read once, and past the cache.
  virtual Status FindTraces(std::span<const uint64_t> hashes,
                            std::vector<TraceMatch>* matches) const = 0;
  // Calls between spans of the segments, as Dependency (model/query.h) defines them, over all of
  // them together. Views live as long as the index.
  virtual Status Edges(std::vector<EdgeCount>* edges) const = 0;
  // Reads every page; one line per fault.
  virtual Status Verify(std::vector<std::string>* faults) const = 0;
};

}  // namespace larder
