// A segment before its pages are written: rows in their final order, templates, shapes, columns
// with their codes. Made by draft_builder.h from a SpanTable; the page writers and the index
// builder read it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/model/table/span_table.h"
#include "storage/segment/format/column_info.h"

namespace larder {

struct ColumnDraft {
  ColumnInfo info;
  // One of the three holds the values, in item order; by info.coding.
  std::vector<uint32_t> codes;
  std::vector<uint64_t> numbers;
  std::vector<std::string_view> payloads;
  std::vector<std::string_view> dictionary;  // of kDictionary: payload of each code, sorted
  std::vector<uint32_t> block_starts;        // ordinal of each block's first value, then the count
};

struct ItemTableDraft {
  std::vector<ItemTemplate> templates;   // distinct ones
  std::vector<uint32_t> item_templates;  // of each item
  std::vector<uint32_t> item_rows;       // segment row of each item; empty for kSpans (item = row)
  std::vector<uint32_t> item_sources;    // number of each item in the SpanTable
  std::vector<uint32_t> block_starts;    // of each block the first item, then the count
};

// What every span has, by segment row: copied out of the table once, since its rows lie scattered
// there.
struct SpanDraft {
  std::vector<uint64_t> starts_ns;
  std::vector<uint64_t> ends_ns;
  std::vector<SpanId> ids;
  std::vector<SpanId> parent_ids;
  std::vector<uint32_t> parent_rows;  // the row with that id in the same trace, or kNoRow; of
                                      // several the one that Dependency (model/query.h) names
};
inline constexpr uint32_t kNoRow = UINT32_MAX;

// Views borrow from the SpanTable, which must outlive the draft.
struct SegmentDraft {
  const SpanTable* table = nullptr;
  std::vector<uint32_t> trace_first_rows;  // of each trace, then the row count
  SpanDraft spans;
  std::array<ItemTableDraft, 3> items;        // by ItemTable
  std::vector<std::vector<uint32_t>> shapes;  // column numbers in slot order
  std::vector<ColumnDraft> columns;           // in column number order
  std::vector<ResourceId> resources;          // SpanTable's number of each of ours
  std::vector<ScopeId> scopes;
  std::vector<OutlierRow> outliers;  // ascending
  std::vector<uint32_t> duplicates;  // rows equal in every field to an earlier one, ascending

  uint32_t row_count() const { return static_cast<uint32_t>(items[0].item_templates.size()); }
  // REQUIRES of these: row < row_count().
  const SpanRow& span(uint32_t row) const { return table->row(items[0].item_sources[row]); }
  int64_t duration_ns(uint32_t row) const {
    return static_cast<int64_t>(spans.ends_ns[row] - spans.starts_ns[row]);
  }
  // The number of a row's resource within `resources`.
  uint32_t resource_of(uint32_t row) const {
    return items[0].templates[items[0].item_templates[row]].resource;
  }
};

}  // namespace larder
