// Sections kEdges and kTraceIndex.

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/page_writers.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/trace_index.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;

struct SpanIdHash {
  size_t operator()(const SpanId& id) const { return LoadFixed64(id.view().data()); }
};

// A service is written as the first resource that has it.
struct Service {
  std::string_view name;
  uint32_t resource = 0;
};

// Counts the edges trace by trace.
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
    for (size_t trace = 0; trace + 1 < draft_.trace_first_rows.size(); ++trace) {
      CountTrace(draft_.trace_first_rows[trace], draft_.trace_first_rows[trace + 1]);
    }
  }

  void Write(PageWriter* pages) const {
    std::vector<uint64_t> minutes;
    std::vector<uint64_t> counts;
    std::vector<uint32_t> parents;
    std::vector<uint32_t> children;
    uint64_t before = 0;
    for (const auto& [edge, count] : edges_) {
      minutes.push_back(std::get<0>(edge) - before);
      before = std::get<0>(edge);
      parents.push_back(std::get<1>(edge));
      children.push_back(std::get<2>(edge));
      counts.push_back(count);
    }
    std::string body;
    EncodeNumbers(minutes, &body);
    EncodeCodes(parents, &body);
    EncodeCodes(children, &body);
    EncodeNumbers(counts, &body);
    pages->Add({Section::kEdges, kEdgeCounts, 0}, body);
    body.clear();
    EncodeNumbers(open_children_, &body);
    pages->Add({Section::kEdges, kEdgeOpenChildren, 0}, body);
  }

 private:
  void CountTrace(uint32_t first, uint32_t last) {
    by_id_.clear();
    for (uint32_t row = first; row < last; ++row) AddParent(row);
    for (uint32_t row = first; row < last; ++row) {
      if (next_duplicate_ < draft_.duplicates.size() && draft_.duplicates[next_duplicate_] == row) {
        ++next_duplicate_;
      } else {
        CountChild(row);
      }
    }
  }

  // Of several rows with one id the parent is the first by start, then by service (Dependency in
  // model/query.h). Rows come by start.
  void AddParent(uint32_t row) {
    const auto [entry, is_new] = by_id_.emplace(draft_.span(row).span_id, row);
    if (is_new) return;
    const uint32_t other = entry->second;
    if (draft_.span(other).start_ns == draft_.span(row).start_ns && Of(row).name < Of(other).name) {
      entry->second = row;
    }
  }

  void CountChild(uint32_t row) {
    const SpanRow& span = draft_.span(row);
    if (span.parent_span_id.is_zero()) return;
    const auto parent = by_id_.find(span.parent_span_id);
    if (parent == by_id_.end()) {
      open_children_.push_back(row - open_before_);
      open_before_ = row;
      return;
    }
    const Service from = Of(parent->second);
    const Service to = Of(row);
    if (from.name.empty() || to.name.empty() || from.resource == to.resource) return;
    ++edges_[{span.start_ns / kMinuteNs, from.resource, to.resource}];
  }

  const Service& Of(uint32_t row) const {
    const ItemTableDraft& spans = draft_.items[0];
    return services_[spans.templates[spans.item_templates[row]].resource];
  }

  const SegmentDraft& draft_;
  std::vector<Service> services_;  // of each resource
  std::unordered_map<SpanId, uint32_t, SpanIdHash> by_id_;
  std::map<std::tuple<uint64_t, uint32_t, uint32_t>, uint64_t> edges_;
  std::vector<uint64_t> open_children_;  // rows, as distances
  uint32_t open_before_ = 0;
  size_t next_duplicate_ = 0;
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
