#include "storage/segment/segment_writer.h"

#include <algorithm>

#include "storage/base/check.h"
#include "storage/segment/format/header.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/index/index_writer.h"
#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/draft_builder.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

SegmentInfo InfoOf(const SegmentDraft& draft, const SegmentIdentity& identity) {
  SegmentInfo info;
  info.identity = identity;
  info.row_count = draft.row_count();
  info.trace_count = static_cast<uint32_t>(draft.trace_first_rows.size() - 1);
  const SpanDraft& spans = draft.spans;
  const auto [low, high] = std::minmax_element(spans.starts_ns.begin(), spans.starts_ns.end());
  info.start = {*low, *high};
  info.latest_end_ns = *std::max_element(spans.ends_ns.begin(), spans.ends_ns.end());
  return info;
}

}  // namespace

Result<SegmentInfo> WriteSegment(const SpanTable& table, const SegmentIdentity& identity,
                                 const SegmentWriteOptions& options, PageSink* sink) {
  LARDER_CHECK(table.published_rows() > 0);
  const SegmentDraft draft = BuildDraft(table, {.drop_duplicates = options.drop_duplicates,
                                                .arrival_max_ns = identity.arrival_max_ns});
  PageWriter pages(options.zstd_level);
  WriteSpanPages(draft, &pages);
  WriteNestedPages(draft, &pages);
  WriteColumnPages(draft, &pages);
  WriteTablePages(draft, &pages);
  WriteBounds(draft, &pages);
  WriteTraceIndexPages(draft, &pages);
  WriteEdgePages(draft, &pages);
  WriteIndex(draft, &pages);
  Header header;
  header.info = InfoOf(draft, identity);
  for (const ColumnDraft& column : draft.columns) header.columns.push_back(column.info);
  header.pages = pages.Runs();
  pages.Add(kHeaderKey, EncodeHeader(header));
  header.info.size_bytes = pages.size_bytes();
  LARDER_RETURN_IF_ERROR(pages.Flush(sink));
  return header.info;
}

}  // namespace larder
