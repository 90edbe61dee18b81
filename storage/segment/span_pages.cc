// Section kTraces, column 0, and section kFixed.

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/page_writers.h"
#include "storage/segment/segment_format.h"

namespace larder {
namespace {

struct SpanIdHash {
  size_t operator()(const SpanId& id) const { return LoadFixed64(id.view().data()); }
};

// The rows of one trace by span id: where a parent is found. Of several rows with one id the first.
class TraceRows {
 public:
  // Rows [first, last) of the draft.
  TraceRows(const SegmentDraft& draft, uint32_t first, uint32_t last)
      : draft_(draft), first_(first), last_(last) {
    if (last - first <= kScanMax) return;
    for (uint32_t row = first; row < last; ++row) by_id_.emplace(draft.span(row).span_id, row);
  }

  // The row whose span id is `id`, or the end of the trace.
  uint32_t Find(const SpanId& id) const {
    if (!by_id_.empty()) {
      const auto found = by_id_.find(id);
      return found == by_id_.end() ? last_ : found->second;
    }
    uint32_t row = first_;
    while (row < last_ && draft_.span(row).span_id != id) ++row;
    return row;
  }
  uint32_t last() const { return last_; }

 private:
  // Looking at each is quicker than a table up to here.
  static constexpr uint32_t kScanMax = 32;

  const SegmentDraft& draft_;
  const uint32_t first_;
  const uint32_t last_;
  std::unordered_map<SpanId, uint32_t, SpanIdHash> by_id_;
};

// Writes the pages one after the other, walking the traces along.
class SpanPagesWriter {
 public:
  SpanPagesWriter(const SegmentDraft& draft, PageWriter* pages) : draft_(draft), pages_(pages) {}

  void Write() {
    FindParents();
    for (uint32_t first = 0; first < draft_.row_count(); first += kPageRows) {
      WritePage(first, std::min(first + kPageRows, draft_.row_count()));
    }
  }

 private:
  void FindParents() {
    parents_.resize(draft_.row_count());
    for (size_t trace = 0; trace + 1 < draft_.trace_first_rows.size(); ++trace) {
      const uint32_t first = draft_.trace_first_rows[trace];
      const TraceRows rows(draft_, first, draft_.trace_first_rows[trace + 1]);
      for (uint32_t row = first; row < rows.last(); ++row) {
        const SpanId& parent = draft_.span(row).parent_span_id;
        if (parent.is_zero()) continue;
        const uint32_t found = rows.Find(parent);
        parents_[row] = found == rows.last()
                            ? kParentElsewhere
                            : kParentDistance + ZigZag(int64_t{row} - int64_t{found});
      }
    }
  }

  void WritePage(uint32_t first, uint32_t last) {
    const uint32_t page = first / kPageRows;
    WriteTimesAndTraces(page, first, last);
    std::vector<uint64_t> durations;
    std::string ids;
    std::string parent_ids;
    for (uint32_t row = first; row < last; ++row) {
      const SpanRow& span = draft_.span(row);
      durations.push_back(ZigZag(span.duration_ns()));
      ids.append(span.span_id.view());
      if (parents_[row] == kParentElsewhere) parent_ids.append(span.parent_span_id.view());
    }
    const auto& templates = draft_.items[0].item_templates;
    body_.clear();
    EncodeCodes(std::span(templates).subspan(first, last - first), &body_);
    Add(kFixedTemplates, page);
    EncodeNumbers(durations, &body_);
    Add(kFixedDurations, page);
    body_ = ids;
    Add(kFixedSpanIds, page);
    EncodeNumbers(std::span(parents_).subspan(first, last - first), &body_);
    body_.append(parent_ids);
    Add(kFixedParents, page);
  }

  // Traces that begin in the page have their first start as the distance from the one before, their
  // further rows as the distance from the row before: all non-negative, by the order of rows.
  void WriteTimesAndTraces(uint32_t page, uint32_t first, uint32_t last) {
    const std::vector<uint32_t>& firsts = draft_.trace_first_rows;
    while (firsts[next_trace_] < first) ++next_trace_;
    const uint32_t begins = std::min(firsts[next_trace_], last);
    std::vector<uint64_t> counts = {begins - first};
    std::vector<uint64_t> first_starts;
    std::vector<uint64_t> steps;
    std::string ids(draft_.span(first).trace_id.view());
    uint64_t row_before = draft_.span(first).start_ns;
    uint64_t trace_before = begins < last ? draft_.span(begins).start_ns : 0;
    PutFixed64(&body_, row_before);
    PutFixed64(&body_, trace_before);
    for (uint32_t row = first; row < last; ++row) {
      const SpanRow& span = draft_.span(row);
      if (row == firsts[next_trace_]) {
        ++next_trace_;
        counts.push_back(std::min(firsts[next_trace_], last) - row);
        first_starts.push_back(span.start_ns - trace_before);
        if (row != first) ids.append(span.trace_id.view());
        trace_before = span.start_ns;
      } else {
        steps.push_back(span.start_ns - row_before);
      }
      row_before = span.start_ns;
    }
    EncodeNumbers(counts, &body_);
    EncodeNumbers(first_starts, &body_);
    EncodeNumbers(steps, &body_);
    Add(kFixedTimes, page);
    pages_->Add({Section::kTraces, 0, page}, ids);
  }

  // Takes the body; the next one begins empty.
  void Add(uint32_t column, uint32_t page) {
    pages_->Add({Section::kFixed, column, page}, body_);
    body_.clear();
  }

  const SegmentDraft& draft_;
  PageWriter* const pages_;
  std::vector<uint64_t> parents_;  // of each row, as it is written
  size_t next_trace_ = 0;          // the first trace that does not begin before the current row
  std::string body_;
};

}  // namespace

void WriteSpanPages(const SegmentDraft& draft, PageWriter* pages) {
  SpanPagesWriter(draft, pages).Write();
}

}  // namespace larder
