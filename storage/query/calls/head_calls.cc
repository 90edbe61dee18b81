#include "storage/query/calls/head_calls.h"

#include <algorithm>
#include <span>
#include <utility>

#include "storage/query/calls/trace_gatherer.h"

namespace larder {
namespace {

constexpr uint64_t kRowsPerSlice = 1 << 18;

class HeadCallFinder {
 public:
  HeadCallFinder(const View& view, TenantId tenant, const std::vector<CallUnit>& units,
                 const TraceFilters& filters, ServicePairs* pairs, QueryContext* context,
                 std::vector<HeadCall>* calls)
      : view_(view),
        tenant_(tenant),
        gatherer_(view, units, EntriesOf(view, units), filters, context),
        pairs_(pairs),
        context_(context),
        calls_(calls) {}

  Status Find() {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < view_.entries.size(); ++i) {
      const SourceEntry& entry = view_.entries[i];
      if (entry.tenant != tenant_ || entry.segment != nullptr) continue;
      heads_.push_back(i);
      rows += entry.source->row_count();
      if (entry.source->row_count() > 0) continue;
      std::vector<TraceId> none;  // a segment that could not be opened says why
      LARDER_RETURN_IF_ERROR(
          context_->Read(entry.name, entry.source->TraceIds(0, 0, &none)).status());
    }
    if (rows == 0) return Status::Ok();
    int slice_bits = 0;
    while (rows >> slice_bits > kRowsPerSlice) ++slice_bits;
    for (uint64_t slice = 0; slice < uint64_t{1} << slice_bits; ++slice) {
      LARDER_RETURN_IF_ERROR(FindSlice(slice, slice_bits));
    }
    return Status::Ok();
  }

 private:
  Status FindSlice(uint64_t slice, int slice_bits) {
    const auto is_of_slice = [&](uint64_t hash) {
      return slice_bits == 0 || hash >> (64 - slice_bits) == slice;
    };
    std::vector<TraceRun> runs;
    for (const uint32_t head : heads_) {
      const Status read = CollectTraceRuns(view_, head, is_of_slice, context_, &runs);
      LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[head].name, read).status());
    }
    return gatherer_.Gather(
        std::move(runs), [](std::span<const TraceRun> /*runs*/) { return true; },
        [this](std::span<const RunSpan> spans) { return AddTrace(spans); });
  }

  Status AddTrace(std::span<const RunSpan> spans) {
    all_.clear();
    in_segments_.clear();
    for (const RunSpan& span : spans) {
      all_.push_back(span.span);
      if (view_.entries[span.span.ref.place].segment != nullptr) in_segments_.push_back(span.span);
    }
    LARDER_RETURN_IF_ERROR(AddCalls(&all_, 1));
    return in_segments_.empty() ? Status::Ok() : AddCalls(&in_segments_, -1);
  }

  Status AddCalls(std::vector<TraceSpan>* spans, int32_t count) {
    edges_.clear();
    LARDER_RETURN_IF_ERROR(JoinTraceSpans(view_, gatherer_.places(), context_, spans, &edges_));
    for (const TraceEdge& edge : edges_) {
      calls_->push_back({edge.child_start_ns, pairs_->IdOf(edge.parent, edge.child), count});
    }
    return Status::Ok();
  }

  const View& view_;
  const TenantId tenant_;
  TraceGatherer gatherer_;
  ServicePairs* const pairs_;
  QueryContext* const context_;
  std::vector<HeadCall>* const calls_;
  std::vector<uint32_t> heads_;
  std::vector<TraceSpan> all_;
  std::vector<TraceSpan> in_segments_;
  std::vector<TraceEdge> edges_;
};

}  // namespace

Status FindHeadCalls(const View& view, TenantId tenant, const std::vector<CallUnit>& units,
                     const TraceFilters& filters, ServicePairs* pairs, QueryContext* context,
                     std::vector<HeadCall>* calls) {
  return HeadCallFinder(view, tenant, units, filters, pairs, context, calls).Find();
}

}  // namespace larder
