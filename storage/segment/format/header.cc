#include "storage/segment/format/header.h"

#include <algorithm>
#include <tuple>

#include <flatbuffers/flatbuffers.h>

#include "storage/model/table/span_table.h"
#include "storage/segment/format/header_generated.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

using flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<fbs::SegmentColumn> EncodeColumn(const ColumnInfo& column,
                                                     FlatBufferBuilder* builder) {
  const auto key =
      builder->CreateVector(reinterpret_cast<const uint8_t*>(column.key.data()), column.key.size());
  return fbs::CreateSegmentColumn(
      *builder, static_cast<uint8_t>(column.table), static_cast<uint8_t>(column.role),
      static_cast<uint8_t>(column.type), static_cast<uint8_t>(column.coding), key,
      column.value_count, column.dictionary_size);
}

bool DecodeColumn(const fbs::SegmentColumn& from, ColumnInfo* column) {
  if (from.table() > static_cast<uint8_t>(ItemTable::kLinks) ||
      from.role() > static_cast<uint8_t>(ColumnRole::kRest) ||
      from.type() > static_cast<uint8_t>(ValueType::kRaw) ||
      from.coding() > static_cast<uint8_t>(ColumnCoding::kBytes)) {
    return false;
  }
  column->table = static_cast<ItemTable>(from.table());
  column->role = static_cast<ColumnRole>(from.role());
  column->type = static_cast<ValueType>(from.type());
  column->coding = static_cast<ColumnCoding>(from.coding());
  if (from.key() != nullptr) column->key.assign(from.key()->begin(), from.key()->end());
  column->value_count = from.value_count();
  column->dictionary_size = from.dictionary_size();
  const bool is_number = column->type == ValueType::kInt || column->type == ValueType::kDouble;
  return column->coding != ColumnCoding::kNumbers || is_number;
}

SegmentInfo DecodeInfo(const fbs::SegmentHeader& from) {
  SegmentInfo info;
  info.identity.segment_id = from.segment_id();
  info.identity.tenant = from.tenant();
  if (const auto* list = from.generations()) {
    info.identity.generations.assign(list->begin(), list->end());
  }
  if (const auto* list = from.replaces()) info.identity.replaces.assign(list->begin(), list->end());
  info.identity.arrival_min_ns = from.arrival_min_ns();
  info.identity.arrival_max_ns = from.arrival_max_ns();
  info.row_count = from.row_count();
  info.trace_count = from.trace_count();
  info.start = {from.start_min_ns(), from.start_max_ns()};
  info.latest_end_ns = from.latest_end_ns();
  return info;
}

// Runs ascend and do not overlap, so that a page is found by halving.
bool DecodeRuns(const flatbuffers::Vector<const fbs::PageRun*>& from, Header* header) {
  std::tuple<uint8_t, uint32_t, uint64_t> end{0, 0, 0};
  for (const fbs::PageRun* run : from) {
    if (std::tuple(run->section(), run->column(), uint64_t{run->first_page()}) < end) return false;
    end = {run->section(), run->column(), uint64_t{run->first_page()} + run->page_count()};
    if (std::get<2>(end) > UINT32_MAX) return false;
    header->pages.push_back({static_cast<Section>(run->section()), run->column(), run->first_page(),
                             run->page_count(), run->size_bytes()});
    header->info.size_bytes += run->size_bytes();
  }
  return true;
}

}  // namespace

bool Header::has(PageKey key) const {
  auto run = std::upper_bound(pages.begin(), pages.end(), key, [](PageKey k, const PageRun& r) {
    return k < PageKey{r.section, r.column, r.first_page};
  });
  if (run == pages.begin()) return false;
  --run;
  return run->section == key.section && run->column == key.column &&
         key.page - run->first_page < run->page_count;
}

uint32_t Header::page_count(Section section, uint32_t column) const {
  const PageKey first{section, column, 0};
  const auto run =
      std::lower_bound(pages.begin(), pages.end(), first, [](const PageRun& r, PageKey k) {
        return PageKey{r.section, r.column, r.first_page} < k;
      });
  const bool found = run != pages.end() && run->section == section && run->column == column;
  return found ? run->page_count : 0;
}

std::string EncodeHeader(const Header& header) {
  FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fbs::SegmentColumn>> columns;
  for (const ColumnInfo& column : header.columns) columns.push_back(EncodeColumn(column, &builder));
  std::vector<fbs::PageRun> runs;
  for (const PageRun& run : header.pages) {
    runs.emplace_back(run.size_bytes, run.column, run.first_page, run.page_count,
                      static_cast<uint8_t>(run.section));
  }
  const SegmentIdentity& identity = header.info.identity;
  const auto generations = builder.CreateVector(identity.generations);
  const auto replaces = builder.CreateVector(identity.replaces);
  const auto column_list = builder.CreateVector(columns);
  const auto run_list = builder.CreateVectorOfStructs(runs);
  const auto root = fbs::CreateSegmentHeader(
      builder, kSegmentFormatVersion, identity.segment_id, identity.tenant, generations, replaces,
      identity.arrival_min_ns, identity.arrival_max_ns, header.info.row_count,
      header.info.trace_count, header.info.start.min_ns, header.info.start.max_ns,
      header.info.latest_end_ns, column_list, run_list);
  fbs::FinishSegmentHeaderBuffer(builder, root);
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

Result<Header> DecodeHeader(std::string_view body) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(body.data()), body.size());
  if (!fbs::VerifySegmentHeaderBuffer(verifier)) return PageFault(kHeaderKey, "is no header");
  const fbs::SegmentHeader& from = *fbs::GetSegmentHeader(body.data());
  if (from.format_version() > kSegmentFormatVersion) {
    return Status::FailedPrecondition("segment format " + std::to_string(from.format_version()) +
                                      " is newer than " + std::to_string(kSegmentFormatVersion) +
                                      ", the newest this program reads");
  }
  Header header;
  header.info = DecodeInfo(from);
  if (from.columns() == nullptr || from.pages() == nullptr || header.info.row_count == 0 ||
      header.info.trace_count == 0 || header.info.trace_count > header.info.row_count) {
    return PageFault(kHeaderKey, "is incomplete");
  }
  if (header.info.row_count > SpanTable::kRowsMax) {
    return PageFault(kHeaderKey, "has more rows than a segment may have");
  }
  for (const fbs::SegmentColumn* column : *from.columns()) {
    if (!DecodeColumn(*column, &header.columns.emplace_back())) {
      return PageFault(kHeaderKey, "has a column of an unknown kind");
    }
  }
  if (!DecodeRuns(*from.pages(), &header)) return PageFault(kHeaderKey, "has pages out of order");
  return header;
}

}  // namespace larder
