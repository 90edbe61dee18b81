#include "storage/query/cold/cold_part.h"

#include <algorithm>
#include <utility>

#include "storage/query/shards/named_pages.h"
#include "storage/query/shards/sharded_trace_index.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

// How many bits of a place say how many spans the trace has.
uint32_t SpansBits(uint32_t version) { return version >= kColdCountsVersion ? kColdSpansBits : 0; }

class Reader : public ColdPart {
 public:
  Reader(std::unique_ptr<PageSource> pages, PageCache* cache, uint32_t version, ColdFacts facts)
      : facts_(std::move(facts)),
        spans_bits_(SpansBits(version)),
        pages_(std::move(pages),
               "partition " + std::to_string(facts_.partition) + " in the cold tier"),
        traces_(&pages_, cache, facts_.shards, facts_.segment_ids.size() << spans_bits_) {}

  const ColdFacts& facts() const override { return facts_; }

  std::string Name() const override { return pages_.name(); }

  Status FindTrace(const TraceId& trace_id, std::vector<ColdPlace>* places) const override {
    std::vector<uint32_t> found;
    LARDER_RETURN_IF_ERROR(traces_.Find(trace_id, &found));
    uint32_t before = UINT32_MAX;
    for (const uint32_t place : found) {
      const uint32_t segment = place >> spans_bits_;
      // Another trace that the index cannot tell from this one; what both have is sure.
      if (std::exchange(before, segment) == segment) continue;
      places->push_back({facts_.segment_ids[segment], place & ((1u << spans_bits_) - 1)});
    }
    return Status::Ok();
  }

  bool MayStartIn(TimeRange range) const override {
    if (range.max_ns < facts_.start.min_ns || range.min_ns > facts_.start.max_ns) return false;
    const auto first =
        std::lower_bound(facts_.hours.begin(), facts_.hours.end(), range.min_ns / kColdHourNs,
                         [](const ColdHour& hour, uint64_t wanted) { return hour.hour < wanted; });
    return first != facts_.hours.end() && first->hour <= range.max_ns / kColdHourNs;
  }

  Status Calls(std::vector<ColdCall>* calls) const override {
    std::string body;
    LARDER_RETURN_IF_ERROR(pages_.Read(kColdCallsKey, &body));
    if (!DecodeColdCalls(body, calls)) return pages_.Fault(kColdCallsKey, "calls");
    return Status::Ok();
  }

  Status Verify(std::vector<std::string>* faults) const override {
    traces_.Verify(faults);
    std::vector<ColdCall> calls;
    const Status status = Calls(&calls);
    if (!status.ok()) faults->push_back(status.ToString());
    return Status::Ok();
  }

 private:
  const ColdFacts facts_;
  const uint32_t spans_bits_;
  const NamedPages pages_;
  const ShardedTraceIndex traces_;
};

}  // namespace

Result<std::shared_ptr<const ColdPart>> ColdPart::Open(std::unique_ptr<PageSource> pages,
                                                       PageCache* cache) {
  std::string body;
  LARDER_RETURN_IF_ERROR(ReadPage(*pages, kColdFactsKey, &body));
  uint32_t version = 0;
  ColdFacts facts;
  if (!DecodeColdFacts(body, &version, &facts)) return PageFault(kColdFactsKey, "facts");
  if (version > kColdPartVersion) {
    return Status::FailedPrecondition("cold part of version " + std::to_string(version) +
                                      ", written by a newer larder; this one reads " +
                                      std::to_string(kColdPartVersion));
  }
  return std::shared_ptr<const ColdPart>(
      std::make_shared<Reader>(std::move(pages), cache, version, std::move(facts)));
}

}  // namespace larder
