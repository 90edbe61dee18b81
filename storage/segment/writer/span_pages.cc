// Section kTraces, column 0, and section kFixed.

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

// Writes the pages one after the other, walking the traces along.
class SpanPagesWriter {
 public:
  SpanPagesWriter(const SegmentDraft& draft, PageWriter* pages) : draft_(draft), pages_(pages) {}

  void Write() {
    for (uint32_t first = 0; first < draft_.row_count(); first += kPageRows) {
      WritePage(first, std::min(first + kPageRows, draft_.row_count()));
    }
  }

 private:
  void WritePage(uint32_t first, uint32_t last) {
    const uint32_t page = first / kPageRows;
    WriteTimesAndTraces(page, first, last);
    const auto& templates = draft_.items[0].item_templates;
    EncodeCodes(std::span(templates).subspan(first, last - first), &body_);
    Add(kFixedTemplates, page);
    numbers_.clear();
    for (uint32_t row = first; row < last; ++row) {
      numbers_.push_back(ZigZag(draft_.duration_ns(row)));
    }
    EncodeNumbers(numbers_, &body_);
    Add(kFixedDurations, page);
    for (uint32_t row = first; row < last; ++row) body_.append(draft_.spans.ids[row].view());
    Add(kFixedSpanIds, page);
    WriteParents(page, first, last);
  }

  void WriteParents(uint32_t page, uint32_t first, uint32_t last) {
    const SpanDraft& spans = draft_.spans;
    numbers_.clear();
    std::string elsewhere;
    for (uint32_t row = first; row < last; ++row) {
      if (spans.parent_ids[row].is_zero()) {
        numbers_.push_back(kParentNone);
      } else if (spans.parent_rows[row] == kNoRow) {
        numbers_.push_back(kParentElsewhere);
        elsewhere.append(spans.parent_ids[row].view());
      } else {
        const int64_t distance = int64_t{row} - int64_t{spans.parent_rows[row]};
        numbers_.push_back(kParentDistance + ZigZag(distance));
      }
    }
    EncodeNumbers(numbers_, &body_);
    body_.append(elsewhere);
    Add(kFixedParents, page);
  }

  // Traces that begin in the page have their first start as the distance from the one before, their
  // further rows as the distance from the row before: all non-negative, by the order of rows.
  void WriteTimesAndTraces(uint32_t page, uint32_t first, uint32_t last) {
    const std::vector<uint32_t>& firsts = draft_.trace_first_rows;
    const std::vector<uint64_t>& starts = draft_.spans.starts_ns;
    while (firsts[next_trace_] < first) ++next_trace_;
    const uint32_t begins = std::min(firsts[next_trace_], last);
    std::vector<uint64_t> counts = {begins - first};
    std::vector<uint64_t> first_starts;
    std::vector<uint64_t> steps;
    std::string ids(draft_.span(first).trace_id.view());
    uint64_t row_before = starts[first];
    uint64_t trace_before = begins < last ? starts[begins] : 0;
    PutFixed64(&body_, row_before);
    PutFixed64(&body_, trace_before);
    for (uint32_t row = first; row < last; ++row) {
      if (row == firsts[next_trace_]) {
        ++next_trace_;
        counts.push_back(std::min(firsts[next_trace_], last) - row);
        first_starts.push_back(starts[row] - trace_before);
        if (row != first) ids.append(draft_.span(row).trace_id.view());
        trace_before = starts[row];
      } else {
        steps.push_back(starts[row] - row_before);
      }
      row_before = starts[row];
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
  size_t next_trace_ = 0;  // the first trace that does not begin before the current row
  std::string body_;
  std::vector<uint64_t> numbers_;
};

}  // namespace

void WriteSpanPages(const SegmentDraft& draft, PageWriter* pages) {
  SpanPagesWriter(draft, pages).Write();
}

}  // namespace larder
