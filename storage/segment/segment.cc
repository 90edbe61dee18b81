#include "storage/segment/segment.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "storage/segment/encoding/numbered_calls.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/reader/columns_reader.h"
#include "storage/segment/reader/row_encoder.h"
#include "storage/segment/search/segment_search.h"
#include "storage/segment/segment_verifier.h"

namespace larder {
namespace {

class SegmentReader : public Segment {
 public:
  SegmentReader(std::unique_ptr<PageSource> source, std::unique_ptr<const ColumnsReader> columns)
      : source_(std::move(source)), columns_(std::move(columns)) {}

  const SegmentInfo& info() const override { return columns_->info(); }
  uint32_t row_count() const override { return info().row_count; }
  TimeRange start_range() const override { return info().start; }
  uint64_t latest_end_ns() const override { return info().latest_end_ns; }

  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const override;
  Status FindTraceAt(const TraceId& trace_id, uint32_t block,
                     std::vector<uint32_t>* rows) const override;
  Status Facts(const std::vector<uint32_t>& rows, std::vector<SpanFacts>* facts) const override;
  Status EncodeRows(const std::vector<uint32_t>& rows, RowVisitor* visitor) const override;
  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                              SearchBudget* budget) const override;
  Status TraceIds(uint32_t first_row, uint32_t count, std::vector<TraceId>* ids) const override;
  Status Operations(std::vector<ServiceOperation>* operations) const override;

  Status Edges(std::vector<EdgeCount>* edges) const override;
  Status TraceEntries(std::vector<TraceIndexEntry>* entries) const override;
  Status Verify(std::vector<std::string>* faults) const override {
    return VerifySegment(source_.get(), *columns_, faults);
  }
  Status SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) const override;

 private:
  const std::unique_ptr<PageSource> source_;
  const std::unique_ptr<const ColumnsReader> columns_;  // borrows source_
};

void AppendRows(RowRange range, std::vector<uint32_t>* rows) {
  for (uint32_t row = range.first; row < range.last; ++row) rows->push_back(row);
}

Status SegmentReader::FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const {
  RowRange range;
  LARDER_RETURN_IF_ERROR(columns_->RowsOfTrace(trace_id, &range));
  AppendRows(range, rows);
  return Status::Ok();
}

Status SegmentReader::FindTraceAt(const TraceId& trace_id, uint32_t block,
                                  std::vector<uint32_t>* rows) const {
  RowRange range;
  LARDER_RETURN_IF_ERROR(columns_->RowsOfTraceAt(trace_id, block, &range));
  AppendRows(range, rows);
  return Status::Ok();
}

Status SegmentReader::Facts(const std::vector<uint32_t>& rows,
                            std::vector<SpanFacts>* facts) const {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_->Tables());
  uint32_t open_page = UINT32_MAX;
  std::shared_ptr<const TemplatePage> templates;
  std::shared_ptr<const ValuePage<uint64_t>> starts;
  std::shared_ptr<const ValuePage<int64_t>> durations;
  std::shared_ptr<const ValuePage<SpanId>> ids;
  std::shared_ptr<const ValuePage<SpanId>> parents;
  for (const uint32_t row : rows) {
    if (row / kPageRows != open_page) {
      open_page = row / kPageRows;
      LARDER_ASSIGN_OR_RETURN(templates, columns_->Templates(ItemTable::kSpans, open_page));
      LARDER_ASSIGN_OR_RETURN(starts, columns_->Starts(open_page));
      LARDER_ASSIGN_OR_RETURN(durations, columns_->Durations(open_page));
      LARDER_ASSIGN_OR_RETURN(ids, columns_->SpanIds(open_page));
      LARDER_ASSIGN_OR_RETURN(parents, columns_->ParentIds(open_page));
    }
    const uint32_t i = row % kPageRows;
    const ItemTemplate& item = tables->templates(ItemTable::kSpans)[templates->templates[i]];
    const uint64_t start = starts->values[i];
    facts->push_back({.row = row,
                      .span_id = ids->values[i],
                      .parent_span_id = parents->values[i],
                      .start_ns = start,
                      .end_ns = start + static_cast<uint64_t>(durations->values[i]),
                      .kind = item.kind,
                      .status_code = item.status_code,
                      .service = tables->resources()[item.resource].service,
                      .name = item.name});
  }
  return Status::Ok();
}

Status SegmentReader::EncodeRows(const std::vector<uint32_t>& rows, RowVisitor* visitor) const {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_->Tables());
  RowEncoder encoder(columns_.get());
  std::string span;
  for (const uint32_t row : rows) {
    LARDER_RETURN_IF_ERROR(encoder.Encode(row, &span));
    const ItemTemplate& item = encoder.span_template();
    if (!visitor->Visit(row, tables->resources()[item.resource].envelope,
                        tables->scopes()[item.scope].envelope, span)) {
      break;
    }
  }
  return Status::Ok();
}

Result<std::unique_ptr<BlockSearch>> SegmentReader::Search(const FilterNode& filter,
                                                           TimeRange start,
                                                           SearchBudget* budget) const {
  return MakeSegmentSearch(*columns_, filter, start, budget);
}

Status SegmentReader::TraceIds(uint32_t first_row, uint32_t count,
                               std::vector<TraceId>* ids) const {
  const uint64_t last = std::min<uint64_t>(uint64_t{first_row} + count, row_count());
  for (uint64_t row = first_row; row < last;) {
    LARDER_ASSIGN_OR_RETURN(const auto traces,
                            columns_->Traces(static_cast<uint32_t>(row / kPageRows)));
    const uint64_t end = std::min<uint64_t>(last, (row / kPageRows + 1) * kPageRows);
    for (; row < end; ++row) {
      ids->push_back(traces->id_of_row(static_cast<uint32_t>(row % kPageRows)));
    }
  }
  return Status::Ok();
}

Status SegmentReader::Operations(std::vector<ServiceOperation>* operations) const {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_->Tables());
  std::set<std::tuple<std::string_view, std::string_view, int32_t>> seen;
  for (const ItemTemplate& item : tables->templates(ItemTable::kSpans)) {
    const std::string_view service = tables->resources()[item.resource].service;
    if (seen.emplace(service, item.name, item.kind).second) {
      operations->push_back({service, item.name, item.kind});
    }
  }
  return Status::Ok();
}

Status SegmentReader::Edges(std::vector<EdgeCount>* edges) const {
  const PageKey key{Section::kEdges, kEdgeCounts, 0};
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_->Tables());
  LARDER_ASSIGN_OR_RETURN(const auto page, columns_->Body(key));
  ByteReader in(page->body);
  const std::span<const ResourceView> resources = tables->resources();
  std::vector<NumberedCall> calls;
  if (!DecodeNumberedCalls(&in, resources.size(), &calls)) {
    return columns_->pages().Fault(key, "is no list of edges between its resources");
  }
  for (const NumberedCall& call : calls) {
    edges->push_back({.parent = resources[call.parent].service,
                      .child = resources[call.child].service,
                      .minute = call.minute,
                      .count = call.count});
  }
  return Status::Ok();
}

Status SegmentReader::TraceEntries(std::vector<TraceIndexEntry>* entries) const {
  for (uint32_t page = 0; page * kPageRows < row_count(); ++page) {
    LARDER_ASSIGN_OR_RETURN(const auto traces, columns_->Traces(page));
    for (size_t trace = traces->continues ? 1 : 0; trace < traces->ids.size(); ++trace) {
      const uint32_t row = page * kPageRows + traces->first_rows[trace];
      entries->push_back({TraceIdHash(traces->ids[trace]), row / kBlockRows});
    }
  }
  return Status::Ok();
}

Status SegmentReader::SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) const {
  std::map<Section, uint64_t> by_section = {{Section::kHeader, columns_->header_bytes()}};
  for (const PageRun& run : columns_->pages().header().pages) {
    by_section[run.section] += run.size_bytes;
  }
  for (const auto& [section, bytes] : by_section) {
    sizes->emplace_back(SectionName(section), bytes);
  }
  return Status::Ok();
}

}  // namespace

Result<std::shared_ptr<const Segment>> Segment::Open(std::unique_ptr<PageSource> pages,
                                                     PageCache* cache) {
  LARDER_ASSIGN_OR_RETURN(auto columns, ColumnsReader::Open(pages.get(), cache));
  return std::shared_ptr<const Segment>(
      std::make_shared<SegmentReader>(std::move(pages), std::move(columns)));
}

}  // namespace larder
