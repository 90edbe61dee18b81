// ColdPart: what stays local of one tenant's spans of a partition that was moved to the cold tier:
// when they started, which traces they are of, their services and operations, and which service
// called which. So most questions never leave the machine. COLD.md specifies the bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/query/cold/cold_part_format.h"
#include "storage/query/cold/cold_tier.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/segment.h"

namespace larder {

struct ColdPartOptions {
  ColdFacts facts;  // part_id, partition, tenant, filed; the writer finds the rest
  std::vector<ColdCall> calls;
  int zstd_level = 1;
  const std::atomic<bool>* cancelled = nullptr;  // stops the writing (kCancelled)
  // Bounds the memory of writing: 16 bytes each, and 2 for every trace of the partition.
  uint64_t traces_per_pass = 1 << 20;
};

// Where the tier has spans of a trace.
struct ColdPlace {
  uint64_t segment = 0;  // its id
  // With so many ids it has spans there: fewer mean that some are lost. 0: not known.
  uint32_t spans = 0;
  friend bool operator==(const ColdPlace&, const ColdPlace&) = default;
};

// Writes what stays of `segments`, which are of one tenant and partition. Returns its facts.
// REQUIRES: one segment at least.
Result<ColdFacts> WriteColdPart(const std::vector<std::shared_ptr<const Segment>>& segments,
                                ColdPartOptions options, PageSink* sink);

// Thread-safe. Broken pages are kDataLoss and name themselves.
class ColdPart {
 public:
  // Reads the facts, which stay in memory. kFailedPrecondition when a newer version wrote them.
  // `cache` must outlive the part.
  static Result<std::shared_ptr<const ColdPart>> Open(std::unique_ptr<PageSource> pages,
                                                      PageCache* cache);
  virtual ~ColdPart() = default;

  virtual const ColdFacts& facts() const = 0;
  // "partition 3 in the cold tier", for gaps and logs.
  virtual std::string Name() const = 0;
  // Appends the segments that have spans of the trace, each once; one trace in 2^40 that is not
  // there is taken for one that is (2^24 where no numbers are known).
  virtual Status FindTrace(const TraceId& trace_id, std::vector<ColdPlace>* places) const = 0;
  // Whether spans start in the hours of the range.
  virtual bool MayStartIn(TimeRange range) const = 0;
  virtual Status Calls(std::vector<ColdCall>* calls) const = 0;
  // Reads every page; one line per fault.
  virtual Status Verify(std::vector<std::string>* faults) const = 0;
};

}  // namespace larder
