// Builds what stays of an evicted partition. The trace index is made in passes over the segments'
// own: a pass takes the traces of one shard (of equal first bits of the hash), so that what is held
// is bounded however many there are.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "storage/model/filter.h"
#include "storage/query/cold/cold_part.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/page/page_writer.h"

namespace larder {
namespace {

constexpr uint32_t kRowsPerRead = 8 * kBlockRows;

uint16_t CountOnce(std::vector<SpanId>* ids) {
  std::sort(ids->begin(), ids->end());
  const auto count = std::unique(ids->begin(), ids->end()) - ids->begin();
  ids->clear();
  return static_cast<uint16_t>(std::min<std::ptrdiff_t>(count, kColdSpansMax));
}

class Writer {
 public:
  Writer(const std::vector<std::shared_ptr<const Segment>>& segments, ColdPartOptions options)
      : segments_(segments),
        options_(std::move(options)),
        facts_(options_.facts),
        pages_(options_.zstd_level) {}

  Result<ColdFacts> Write(PageSink* sink) {
    DescribeSegments();
    for (const auto& segment : segments_) {
      LARDER_RETURN_IF_ERROR(CountHours(*segment));
      LARDER_RETURN_IF_ERROR(AddOperations(*segment));
      LARDER_RETURN_IF_ERROR(CountSpans(*segment));
    }
    for (const auto& [hour, rows] : hours_) facts_.hours.push_back({hour, rows});
    facts_.operations.assign(operations_.begin(), operations_.end());
    for (uint32_t shard = 0; shard < facts_.shards.count(); ++shard) {
      LARDER_RETURN_IF_ERROR(AddTraceIndex(shard));
    }
    std::sort(options_.calls.begin(), options_.calls.end());
    pages_.Add(kColdCallsKey, EncodeColdCalls(options_.calls));
    pages_.Add(kColdFactsKey, EncodeColdFacts(facts_));
    LARDER_RETURN_IF_ERROR(pages_.Flush(sink));
    return facts_;
  }

 private:
  Status CheckCancelled() const {
    if (options_.cancelled == nullptr || !options_.cancelled->load()) return Status::Ok();
    return Status::Cancelled("writing what stays of a partition was cancelled");
  }

  void DescribeSegments() {
    uint64_t traces = 0;
    facts_.start = {UINT64_MAX, 0};
    facts_.arrival_min_ns = UINT64_MAX;
    for (const auto& segment : segments_) {
      const SegmentInfo& info = segment->info();
      facts_.segment_ids.push_back(info.identity.segment_id);
      facts_.rows += info.row_count;
      facts_.start.min_ns = std::min(facts_.start.min_ns, info.start.min_ns);
      facts_.start.max_ns = std::max(facts_.start.max_ns, info.start.max_ns);
      facts_.arrival_min_ns = std::min(facts_.arrival_min_ns, info.identity.arrival_min_ns);
      facts_.arrival_max_ns = std::max(facts_.arrival_max_ns, info.identity.arrival_max_ns);
      traces += info.trace_count;
    }
    facts_.shards.bits = ShardBitsFor(traces, options_.traces_per_pass, kColdShardBitsMax);
  }

  Status CountHours(const Segment& segment) {
    const FilterNode any;
    LARDER_ASSIGN_OR_RETURN(const auto search, segment.Search(any, {}, SearchBudget::Unbounded()));
    const std::vector<uint32_t> blocks = search->candidate_blocks();
    std::vector<SpanMatch> matches;
    for (const uint32_t block : blocks) {
      LARDER_RETURN_IF_ERROR(CheckCancelled());
      matches.clear();
      LARDER_RETURN_IF_ERROR(search->Match(block, &matches));
      for (const SpanMatch& match : matches) ++hours_[match.start_ns / kColdHourNs];
    }
    return Status::Ok();
  }

  Status AddOperations(const Segment& segment) {
    std::vector<ServiceOperation> found;
    LARDER_RETURN_IF_ERROR(segment.Operations(&found));
    for (const ServiceOperation& it : found) {
      operations_.insert({std::string(it.service), {std::string(it.name), it.kind}});
    }
    return Status::Ok();
  }

  // Of each trace, in row order: how many ids its spans have.
  Status CountSpans(const Segment& segment) {
    std::vector<uint16_t>& counts = span_counts_.emplace_back();
    TraceId trace_id;
    std::vector<SpanId> span_ids;
    std::vector<TraceId> trace_ids;
    std::vector<SpanFacts> facts;
    for (uint32_t first = 0; first < segment.row_count(); first += kRowsPerRead) {
      LARDER_RETURN_IF_ERROR(CheckCancelled());
      std::vector<uint32_t> rows(std::min(kRowsPerRead, segment.row_count() - first));
      std::iota(rows.begin(), rows.end(), first);
      trace_ids.clear();
      facts.clear();
      LARDER_RETURN_IF_ERROR(
          segment.TraceIds(first, static_cast<uint32_t>(rows.size()), &trace_ids));
      LARDER_RETURN_IF_ERROR(segment.Facts(rows, &facts));
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!span_ids.empty() && trace_ids[i] != trace_id) counts.push_back(CountOnce(&span_ids));
        trace_id = trace_ids[i];
        span_ids.push_back(facts[i].span_id);
      }
    }
    if (!span_ids.empty()) counts.push_back(CountOnce(&span_ids));
    return Status::Ok();
  }

  Status AddTraceIndex(uint32_t shard) {
    std::vector<TraceIndexEntry> entries;
    for (uint32_t i = 0; i < segments_.size(); ++i) {
      LARDER_RETURN_IF_ERROR(CheckCancelled());
      std::vector<TraceIndexEntry> of_segment;
      LARDER_RETURN_IF_ERROR(segments_[i]->TraceEntries(&of_segment));
      LARDER_CHECK(of_segment.size() == span_counts_[i].size());
      for (size_t trace = 0; trace < of_segment.size(); ++trace) {
        const uint64_t hash = of_segment[trace].hash;
        if (facts_.shards.ShardOf(hash) != shard) continue;
        entries.push_back({hash, ColdPlaceCode(i, span_counts_[i][trace])});
      }
    }
    AddTraceShard(std::move(entries), kColdCheckBits, &facts_.shards, &pages_);
    return Status::Ok();
  }

  const std::vector<std::shared_ptr<const Segment>>& segments_;
  ColdPartOptions options_;
  ColdFacts facts_;
  PageWriter pages_;
  std::map<uint64_t, uint64_t> hours_;
  std::set<ColdOperation> operations_;
  std::vector<std::vector<uint16_t>> span_counts_;  // by segment and trace
};

}  // namespace

Result<ColdFacts> WriteColdPart(const std::vector<std::shared_ptr<const Segment>>& segments,
                                ColdPartOptions options, PageSink* sink) {
  return Writer(segments, std::move(options)).Write(sink);
}

}  // namespace larder
