// Columns, templates and outliers of a segment, as plain values that reader and writer share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/model/value.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// A page of any column covers the items of this many rows.
inline constexpr uint32_t kPageBlocks = 8;
inline constexpr uint32_t kPageRows = kPageBlocks * kBlockRows;

// Part of the format, all three: never renumber.
enum class ItemTable : uint8_t { kSpans = 0, kEvents = 1, kLinks = 2 };

enum class ColumnRole : uint8_t {
  kAttribute = 0,      // values of one (key, type)
  kOverflow = 1,       // attributes of rare keys: a value is a whole KeyValue message
  kTraceState = 2,     // of spans, links; a slot only when not empty
  kStatusMessage = 3,  // of spans; a slot only when not empty
  kRest = 4,           // SpanRow::rest, EventRow::rest, LinkRow::rest; a slot only when not empty
};

enum class ColumnCoding : uint8_t {
  kDictionary = 0,  // a value is its code in the column's sorted dictionary
  kNumbers = 1,     // a value is its 8-byte payload as a number: int64 (two's complement) or double
  kBytes = 2,       // mostly distinct values, each its own payload
};

struct ColumnInfo {
  ItemTable table = ItemTable::kSpans;
  ColumnRole role = ColumnRole::kAttribute;
  ValueType type = ValueType::kEmpty;  // of kAttribute; kRaw for kOverflow, kString for the rest
  ColumnCoding coding = ColumnCoding::kDictionary;
  std::string key = {};  // of kAttribute
  uint64_t value_count = 0;
  uint32_t dictionary_size = 0;  // of kDictionary: codes are 0 .. dictionary_size - 1
};

// One template of any of the three tables; members that the table does not have are 0.
struct ItemTemplate {
  std::string_view name;    // of spans, events
  int32_t kind = 0;         // of spans
  int32_t status_code = 0;  // of spans
  uint32_t flags = 0;       // of spans, links
  uint32_t resource = 0;    // of spans
  uint32_t scope = 0;       // of spans
  uint32_t shape = 0;
};

struct OutlierRow {
  uint32_t row = 0;
  uint64_t start_ns = 0;
};

}  // namespace larder
