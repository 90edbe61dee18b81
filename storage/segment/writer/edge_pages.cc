// Sections kEdges and kTraceIndex.

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "storage/segment/encoding/numbered_calls.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;

// A service is written as the first resource that has it.
struct Service {
  std::string_view name;
  uint32_t resource = 0;
};

using Edge = std::tuple<uint64_t, uint32_t, uint32_t>;  // minute, parent, child

// An edge and its count in the map.
struct Recent {
  Edge edge;
  uint64_t* count = nullptr;
};

class EdgeCounter {
 public:
  explicit EdgeCounter(const SegmentDraft& draft) : draft_(draft) {
    std::unordered_map<std::string_view, uint32_t> first_with;
    for (uint32_t resource = 0; resource < draft.resources.size(); ++resource) {
      const std::string_view service = draft.table->resource(draft.resources[resource]).service;
      services_.push_back({service, first_with.emplace(service, resource).first->second});
    }
  }

  void Count() {
    auto duplicate = draft_.duplicates.begin();
    for (uint32_t row = 0; row < draft_.row_count(); ++row) {
      if (duplicate != draft_.duplicates.end() && *duplicate == row) {
        ++duplicate;
      } else {
        CountChild(row);
      }
    }
  }

  void Write(PageWriter* pages) const {
    std::vector<NumberedCall> calls;
    for (const auto& [edge, count] : edges_) {
      const auto& [minute, parent, child] = edge;
      calls.push_back({minute, parent, child, count});
    }
    std::string body;
    EncodeNumberedCalls(calls, &body);
    pages->Add({Section::kEdges, kEdgeCounts, 0}, body);
  }

 private:
  void CountChild(uint32_t row) {
    const SpanDraft& spans = draft_.spans;
    if (spans.parent_ids[row].is_zero()) return;
    const uint32_t parent = spans.parent_rows[row];
    if (parent == kNoRow) return;
    const Service& from = services_[draft_.resource_of(parent)];
    const Service& to = services_[draft_.resource_of(row)];
    if (from.name.empty() || to.name.empty() || from.resource == to.resource) return;
    const Edge edge{spans.starts_ns[row] / kMinuteNs, from.resource, to.resource};
    // Rows come about by time, so the same few edges come over and over.
    Recent& recent = recent_[(from.resource * 31 + to.resource) % recent_.size()];
    if (recent.count == nullptr || recent.edge != edge) recent = {edge, &edges_[edge]};
    ++*recent.count;
  }

  const SegmentDraft& draft_;
  std::vector<Service> services_;  // of each resource
  std::map<Edge, uint64_t> edges_;
  std::array<Recent, 64> recent_;
};

}  // namespace

void WriteEdgePages(const SegmentDraft& draft, PageWriter* pages) {
  EdgeCounter counter(draft);
  counter.Count();
  counter.Write(pages);
}

void WriteTraceIndexPages(const SegmentDraft& draft, PageWriter* pages) {
  std::vector<TraceIndexEntry> entries;
  for (size_t trace = 0; trace + 1 < draft.trace_first_rows.size(); ++trace) {
    const uint32_t row = draft.trace_first_rows[trace];
    entries.push_back({TraceIdHash(draft.span(row).trace_id), row / kBlockRows});
  }
  const std::vector<std::string> chunks = EncodeTraceIndex(std::move(entries));
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    pages->Add({Section::kTraceIndex, 0, chunk}, chunks[chunk]);
  }
}

}  // namespace larder
