#include "storage/query/edges/trace_runs.h"

#include <algorithm>

#include "storage/base/check.h"

namespace larder {
namespace {

constexpr uint32_t kRowsPerRead = 8 * kBlockRows;

}  // namespace

Status CollectTraceRuns(const View& view, uint32_t entry,
                        const std::function<bool(uint64_t hash)>& is_wanted, QueryContext* context,
                        std::vector<TraceRun>* runs) {
  const SpanSource& source = *view.entries[entry].source;
  std::vector<TraceId> ids;
  TraceId before;  // of the row before, and whether its run is the last of `runs`
  bool is_open = false;
  for (uint32_t first = 0; first < source.row_count(); first += kRowsPerRead) {
    LARDER_RETURN_IF_ERROR(context->Check());
    const uint32_t count = std::min(kRowsPerRead, source.row_count() - first);
    ids.clear();
    LARDER_RETURN_IF_ERROR(source.TraceIds(first, count, &ids));
    for (uint32_t i = 0; i < ids.size(); ++i) {
      if (first + i > 0 && ids[i] == before) {
        if (is_open) ++runs->back().row_count;
        continue;
      }
      before = ids[i];
      const uint64_t hash = TraceIdHash(before);
      is_open = is_wanted(hash);
      if (is_open) runs->push_back({hash, before, entry, first + i, 1});
    }
  }
  return Status::Ok();
}

Status ReadRunSpans(const View& view, std::span<const TraceRun> runs, QueryContext* context,
                    std::vector<RunSpan>* spans) {
  std::vector<uint32_t> rows;
  std::vector<uint64_t> hashes;
  std::vector<SpanFacts> facts;
  for (size_t run = 0; run < runs.size(); ++run) {
    for (uint32_t i = 0; i < runs[run].row_count; ++i) {
      rows.push_back(runs[run].first_row + i);
      hashes.push_back(runs[run].hash);
    }
    if (rows.size() < kRowsPerRead && run + 1 < runs.size()) continue;
    LARDER_RETURN_IF_ERROR(context->Check());
    facts.clear();
    LARDER_RETURN_IF_ERROR(view.entries[runs[run].entry].source->Facts(rows, &facts));
    LARDER_CHECK(facts.size() == rows.size());
    for (size_t i = 0; i < facts.size(); ++i) {
      const SpanRef ref{facts[i].span_id, runs[run].entry, facts[i].row};
      spans->push_back(
          {hashes[i], {ref, facts[i].parent_span_id, facts[i].start_ns, facts[i].service}});
    }
    rows.clear();
    hashes.clear();
  }
  return Status::Ok();
}

}  // namespace larder
