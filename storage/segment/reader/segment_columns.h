// The columns of one sealed segment, page by page: what the segment reader serves spans from and
// what the search evaluates filters on. FORMAT.md specifies the bytes.
//
// A segment holds three tables: spans (one item per row), events and links (items in the order of
// the rows they belong to). Every item has a template, which says what recurs as a whole (name,
// kind, resource, ...) and, through its shape, which columns hold the item's other values: one slot
// per value, in the order of the item's attributes; a column may come up several times. A column
// holds its values in item order, so where a value lies follows from the templates of the items
// before it; each page says at which ordinal its blocks begin.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/table/span_table.h"
#include "storage/model/value.h"
#include "storage/segment/format/column_info.h"
#include "storage/segment/format/segment_info.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// What recurs in a segment, each thing once. Views live as long as the segment.
class SegmentTables {
 public:
  virtual ~SegmentTables() = default;
  virtual std::span<const ItemTemplate> templates(ItemTable table) const = 0;
  // Column numbers in slot order. Shapes are shared by the three tables.
  virtual std::span<const uint32_t> shape(uint32_t shape) const = 0;
  virtual uint32_t shape_count() const = 0;
  virtual std::span<const ResourceView> resources() const = 0;
  virtual std::span<const ScopeView> scopes() const = 0;
};

// The values of one column whose items belong to the rows of one page. Immutable.
class ColumnPage : public CachedPage {
 public:
  // Ordinals within this page of the first value of each block; the last entry is the count.
  std::array<uint32_t, kPageBlocks + 1> block_starts{};
  std::vector<uint32_t> codes;    // of kDictionary
  std::vector<uint64_t> numbers;  // of kNumbers
  std::vector<uint32_t> offsets;  // of kBytes: value i is arena[offsets[i], offsets[i + 1])
  std::string arena;

  std::string_view bytes(uint32_t ordinal) const {
    return std::string_view(arena).substr(offsets[ordinal],
                                          offsets[ordinal + 1] - offsets[ordinal]);
  }
  uint64_t memory_bytes() const override;
};

// The templates of the items that belong to one page of rows. Immutable.
class TemplatePage : public CachedPage {
 public:
  std::array<uint32_t, kPageBlocks + 1> block_starts{};  // as in ColumnPage
  std::vector<uint32_t> templates;                       // of each item
  uint64_t memory_bytes() const override;
};

// A plain column of one page: starts, durations, ids.
template <typename T>
class ValuePage : public CachedPage {
 public:
  std::vector<T> values;
  uint64_t memory_bytes() const override { return sizeof(*this) + values.capacity() * sizeof(T); }
};

// The traces that have rows on one page. Immutable.
class TracePage : public CachedPage {
 public:
  std::vector<TraceId> ids;
  std::vector<uint32_t> first_rows;    // of each trace within the page, then the page's row count
  std::vector<uint16_t> trace_of_row;  // of each row, its place in `ids`
  bool continues = false;              // the first trace began on an earlier page

  // `row` is within the page.
  const TraceId& id_of_row(uint32_t row) const { return ids[trace_of_row[row]]; }
  uint64_t memory_bytes() const override;
};

// One value met on a block.
struct ItemValue {
  uint32_t item = 0;     // within the block: for spans the row less the block's first row
  uint32_t ordinal = 0;  // of the value within its ColumnPage
};

// The distinct payloads of a dictionary column, sorted: kInt by number, kDouble by IEEE total
// order, everything else bytewise. Read in chunks of a few kB. Thread-safe; lives as long as the
// segment.
class ColumnDictionary {
 public:
  virtual ~ColumnDictionary() = default;
  virtual uint32_t size() const = 0;
  // Appends the payload of a code to `payload`. kDataLoss when there is no such code.
  virtual Status Append(uint32_t code, std::string* payload) const = 0;
  // The code of a payload, if it is there.
  virtual Result<std::optional<uint32_t>> Find(std::string_view payload) const = 0;
  // The number of payloads that sort before this one.
  virtual Result<uint32_t> LowerBound(std::string_view payload) const = 0;
  // Hands out codes [first, last) in order. Views are valid during the call; return false to stop.
  virtual Status ForEach(uint32_t first, uint32_t last,
                         const std::function<bool(uint32_t, std::string_view)>& visit) const = 0;
};

// A page's body as the writer gave it to the page writer; for sections decoded elsewhere (the
// index).
class BodyPage : public CachedPage {
 public:
  std::string body;
  uint64_t memory_bytes() const override { return sizeof(*this) + body.capacity(); }
};

// Rows [first, last).
struct RowRange {
  uint32_t first = 0;
  uint32_t last = 0;
  bool empty() const { return first == last; }
};

template <typename T>
using PageOf = Result<std::shared_ptr<const T>>;

// Thread-safe. Failures are kDataLoss (naming segment and page) or kUnavailable. `page` is a row's
// number divided by kPageRows, `block` by kBlockRows.
class SegmentColumns {
 public:
  virtual ~SegmentColumns() = default;

  virtual const SegmentInfo& info() const = 0;
  uint32_t row_count() const { return info().row_count; }
  uint32_t block_count() const { return (row_count() + kBlockRows - 1) / kBlockRows; }
  uint32_t block_row_count(uint32_t block) const {
    const uint32_t left = row_count() - block * kBlockRows;
    return left < kBlockRows ? left : kBlockRows;
  }

  // Read at first use and kept.
  virtual Result<const SegmentTables*> Tables() const = 0;
  // In column number order.
  virtual std::span<const ColumnInfo> columns() const = 0;
  virtual Result<const ColumnDictionary*> Dictionary(uint32_t column) const = 0;

  // Bounds over the rows of a block that are no outliers. A block of outliers alone has min > max.
  virtual TimeRange block_start_range(uint32_t block) const = 0;
  uint64_t block_latest_start_ns(uint32_t block) const { return block_start_range(block).max_ns; }
  // Rows whose start lies more than an hour from their trace's first start, ascending.
  virtual std::span<const OutlierRow> outlier_rows() const = 0;

  // ---- one page of rows ----

  virtual PageOf<TemplatePage> Templates(ItemTable table, uint32_t page) const = 0;
  virtual PageOf<ColumnPage> Column(uint32_t column, uint32_t page) const = 0;
  virtual PageOf<ValuePage<uint64_t>> Starts(uint32_t page) const = 0;
  virtual PageOf<ValuePage<int64_t>> Durations(uint32_t page) const = 0;
  virtual PageOf<ValuePage<SpanId>> SpanIds(uint32_t page) const = 0;
  virtual PageOf<ValuePage<SpanId>> ParentIds(uint32_t page) const = 0;
  virtual PageOf<TracePage> Traces(uint32_t page) const = 0;
  // Of each item: the row within the page (kEvents, kLinks).
  virtual PageOf<ValuePage<uint32_t>> ItemRows(ItemTable table, uint32_t page) const = 0;
  virtual PageOf<ValuePage<uint64_t>> EventTimes(uint32_t page) const = 0;
  virtual PageOf<ValuePage<TraceId>> LinkTraceIds(uint32_t page) const = 0;
  virtual PageOf<ValuePage<SpanId>> LinkSpanIds(uint32_t page) const = 0;
  // The body of any page (a fault in it is found by its checksum), kept in the cache.
  virtual PageOf<BodyPage> Body(PageKey key) const = 0;
  // What `decode` makes of a page's body, kept in the cache. REQUIRES: a page is always asked for
  // in the same way, by the same type.
  using BodyDecoder =
      std::function<Result<std::shared_ptr<const CachedPage>>(std::string_view body)>;
  virtual Result<std::shared_ptr<const CachedPage>> Decoded(PageKey key,
                                                            const BodyDecoder& decode) const = 0;
  // What `make` makes of other pages, kept in the cache under a key that no page has.
  using PageMaker = std::function<Result<std::shared_ptr<const CachedPage>>()>;
  virtual Result<std::shared_ptr<const CachedPage>> Made(PageKey key,
                                                         const PageMaker& make) const = 0;
  // Whether the header names the page.
  virtual bool has(PageKey key) const = 0;

  // ---- traces ----

  // Replaces `rows` by the run of rows of a trace, empty when it is not here. Costs a look-up in
  // the trace index.
  virtual Status RowsOfTrace(const TraceId& trace_id, RowRange* rows) const = 0;

  // ---- one block ----

  // Replaces `values` by the values of a column on a block, in item order. Their payloads are in
  // Column(column, block / kPageBlocks).
  virtual Status BlockValues(uint32_t column, uint32_t block,
                             std::vector<ItemValue>* values) const = 0;
};

}  // namespace larder
