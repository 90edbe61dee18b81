// SegmentColumns over pages: row_columns.cc reads what rows and items have one by one,
// columns_reader.cc the rest.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/segment/reader/dictionary_reader.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/reader/segment_pages.h"
#include "storage/segment/reader/tables_reader.h"

namespace larder {

// Thread-safe.
class ColumnsReader : public SegmentColumns {
 public:
  // Both must outlive the reader. Reads header and bounds.
  static Result<std::unique_ptr<const ColumnsReader>> Open(const PageSource* source,
                                                           PageCache* cache);

  const SegmentPages& pages() const { return pages_; }
  uint64_t header_bytes() const { return header_bytes_; }
  // Replaces `blocks` by those where the trace may begin, ascending: what the trace index knows.
  Status BlocksOfTrace(const TraceId& trace_id, std::vector<uint32_t>* blocks) const;
  // As Dictionary, with access to its chunks.
  Result<const DictionaryReader*> ReaderOfDictionary(uint32_t column) const;

  const SegmentInfo& info() const override { return pages_.header().info; }
  Result<const SegmentTables*> Tables() const override;
  std::span<const ColumnInfo> columns() const override { return pages_.header().columns; }
  Result<const ColumnDictionary*> Dictionary(uint32_t column) const override;
  TimeRange block_start_range(uint32_t block) const override { return bounds_[block]; }
  std::span<const OutlierRow> outlier_rows() const override { return outliers_; }

  PageOf<TemplatePage> Templates(ItemTable table, uint32_t page) const override;
  PageOf<ColumnPage> Column(uint32_t column, uint32_t page) const override;
  PageOf<ValuePage<uint64_t>> Starts(uint32_t page) const override;
  PageOf<ValuePage<int64_t>> Durations(uint32_t page) const override;
  PageOf<ValuePage<SpanId>> SpanIds(uint32_t page) const override;
  PageOf<ValuePage<SpanId>> ParentIds(uint32_t page) const override;
  PageOf<TracePage> Traces(uint32_t page) const override;
  PageOf<ValuePage<uint32_t>> ItemRows(ItemTable table, uint32_t page) const override;
  PageOf<ValuePage<uint64_t>> EventTimes(uint32_t page) const override;
  PageOf<ValuePage<TraceId>> LinkTraceIds(uint32_t page) const override;
  PageOf<ValuePage<SpanId>> LinkSpanIds(uint32_t page) const override;
  PageOf<BodyPage> Body(PageKey key) const override;
  Result<std::shared_ptr<const CachedPage>> Decoded(PageKey key,
                                                    const BodyDecoder& decode) const override {
    return pages_.GetDecoded(key, decode);
  }
  Result<std::shared_ptr<const CachedPage>> Made(PageKey key,
                                                 const PageMaker& make) const override {
    return pages_.GetMade(key, make);
  }
  bool has(PageKey key) const override { return pages_.has(key); }
  Status RowsOfTrace(const TraceId& trace_id, RowRange* rows) const override;
  // As RowsOfTrace, when an index said that the trace may begin in `block`.
  Status RowsOfTraceAt(const TraceId& trace_id, uint32_t block, RowRange* rows) const;
  Status BlockValues(uint32_t column, uint32_t block,
                     std::vector<ItemValue>* values) const override;

 private:
  class TimesPage;
  class ShapeUses;

  ColumnsReader(const PageSource* source, PageCache* cache, Header header, uint64_t header_bytes);

  Status LoadBounds();
  Status RunOfTrace(const TraceId& trace_id, uint32_t first_row, RowRange* rows) const;
  PageOf<TimesPage> Times(uint32_t page) const;
  // How often each shape has the column.
  PageOf<ShapeUses> UsesOf(uint32_t column) const;
  Status DecodeParents(std::string_view body, uint32_t page, ValuePage<SpanId>* parents) const;
  Status DecodeTemplates(std::string_view body, ItemTable table, uint32_t page,
                         TemplatePage* templates) const;
  // The ids of a page, `count` of them.
  template <typename Id>
  PageOf<ValuePage<Id>> Ids(PageKey key, uint32_t count) const;

  const SegmentPages pages_;
  const uint64_t header_bytes_;
  std::vector<TimeRange> bounds_;  // of each block
  std::vector<OutlierRow> outliers_;
  std::deque<DictionaryReader> dictionaries_;
  std::vector<DictionaryReader*> dictionary_of_column_;  // null: has none

  mutable Mutex mu_;
  mutable std::unique_ptr<const LoadedTables> tables_ GUARDED_BY(mu_);
};

}  // namespace larder
