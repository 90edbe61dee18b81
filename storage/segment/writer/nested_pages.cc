// Sections kEvents and kLinks but for their attribute columns.

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

// The items of one page of rows.
struct Run {
  uint32_t page = 0;
  uint32_t first = 0;
  uint32_t last = 0;
};

// The runs that are not empty; an empty one has no pages.
std::vector<Run> RunsOf(const ItemTableDraft& items) {
  std::vector<Run> runs;
  const size_t blocks = items.block_starts.size() - 1;
  for (size_t block = 0; block < blocks; block += kPageBlocks) {
    const Run run{static_cast<uint32_t>(block / kPageBlocks), items.block_starts[block],
                  items.block_starts[std::min(block + kPageBlocks, blocks)]};
    if (run.first < run.last) runs.push_back(run);
  }
  return runs;
}

void WriteTemplatesAndRows(Section section, const ItemTableDraft& items, Run run,
                           PageWriter* pages) {
  std::string body;
  EncodeCodes(std::span(items.item_templates).subspan(run.first, run.last - run.first), &body);
  pages->Add({section, kNestedTemplates, run.page}, body);
  std::vector<uint64_t> steps;
  uint32_t before = run.page * kPageRows;
  for (uint32_t item = run.first; item < run.last; ++item) {
    steps.push_back(items.item_rows[item] - before);
    before = items.item_rows[item];
  }
  body.clear();
  EncodeNumbers(steps, &body);
  pages->Add({section, kNestedRows, run.page}, body);
}

void WriteEvents(const SegmentDraft& draft, Run run, PageWriter* pages) {
  const auto& items = draft.items[static_cast<size_t>(ItemTable::kEvents)];
  std::vector<uint64_t> times;
  for (uint32_t item = run.first; item < run.last; ++item) {
    const uint64_t time = draft.table->event(items.item_sources[item]).time_ns;
    const uint64_t start = draft.spans.starts_ns[items.item_rows[item]];
    times.push_back(ZigZag(static_cast<int64_t>(time - start)));
  }
  std::string body;
  EncodeNumbers(times, &body);
  pages->Add({Section::kEvents, kEventTimes, run.page}, body);
}

void WriteLinks(const SegmentDraft& draft, Run run, PageWriter* pages) {
  const auto& items = draft.items[static_cast<size_t>(ItemTable::kLinks)];
  std::string trace_ids;
  std::string span_ids;
  for (uint32_t item = run.first; item < run.last; ++item) {
    const LinkRow& link = draft.table->link(items.item_sources[item]);
    trace_ids.append(link.trace_id.view());
    span_ids.append(link.span_id.view());
  }
  pages->Add({Section::kLinks, kLinkTraceIds, run.page}, trace_ids);
  pages->Add({Section::kLinks, kLinkSpanIds, run.page}, span_ids);
}

}  // namespace

void WriteNestedPages(const SegmentDraft& draft, PageWriter* pages) {
  for (const ItemTable table : {ItemTable::kEvents, ItemTable::kLinks}) {
    const ItemTableDraft& items = draft.items[static_cast<size_t>(table)];
    for (const Run run : RunsOf(items)) {
      WriteTemplatesAndRows(NestedSection(table), items, run, pages);
      if (table == ItemTable::kEvents) {
        WriteEvents(draft, run, pages);
      } else {
        WriteLinks(draft, run, pages);
      }
    }
  }
}

}  // namespace larder
