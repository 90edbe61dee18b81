#include "storage/query/cold/cold_part.h"

#include <algorithm>
#include <utility>

#include "storage/query/shards/named_pages.h"
#include "storage/query/shards/sharded_trace_index.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

constexpr uint64_t kHourNs = 3600ull * 1'000'000'000;

class Reader : public ColdPart {
 public:
  Reader(std::unique_ptr<PageSource> pages, PageCache* cache, ColdFacts facts)
      : facts_(std::move(facts)),
        pages_(std::move(pages),
               "partition " + std::to_string(facts_.partition) + " in the cold tier"),
        traces_(&pages_, cache, facts_.shards, facts_.segment_ids.size()) {}

  const ColdFacts& facts() const override { return facts_; }

  std::string Name() const override { return pages_.name(); }

  Status FindTrace(const TraceId& trace_id, std::vector<uint64_t>* segments) const override {
    std::vector<uint32_t> found;
    LARDER_RETURN_IF_ERROR(traces_.Find(trace_id, &found));
    for (const uint32_t segment : found) segments->push_back(facts_.segment_ids[segment]);
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
      std::make_shared<Reader>(std::move(pages), cache, std::move(facts)));
}

}  // namespace larder
