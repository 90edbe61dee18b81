// The numbers of FORMAT.md that writer and reader share. All part of the format: never change one
// without a new version.
#pragma once

#include <cstdint>

#include "storage/segment/format/column_info.h"
#include "storage/segment/page/page_store.h"

namespace larder {

inline constexpr uint32_t kSegmentFormatVersion = 3;

// Columns of Section::kResources.
inline constexpr uint32_t kResourceEnvelopes = 0;
inline constexpr uint32_t kResourceServices = 1;

// Columns of Section::kFixed.
inline constexpr uint32_t kFixedTemplates = 0;
inline constexpr uint32_t kFixedTimes = 1;
inline constexpr uint32_t kFixedDurations = 2;
inline constexpr uint32_t kFixedSpanIds = 3;
inline constexpr uint32_t kFixedParents = 4;

// Columns of Section::kEvents and Section::kLinks. Their attribute columns follow from
// kNestedColumnsFirst on.
inline constexpr uint32_t kNestedTemplates = 0;
inline constexpr uint32_t kNestedRows = 1;
inline constexpr uint32_t kEventTimes = 2;
inline constexpr uint32_t kLinkTraceIds = 2;
inline constexpr uint32_t kLinkSpanIds = 3;
inline constexpr uint32_t kNestedColumnsFirst = 16;

// Columns of Section::kEdges; 1 was in use up to version 2.
inline constexpr uint32_t kEdgeCounts = 0;

// A parent is written as one of these two, or as kParentDistance plus the zigzag of its distance.
inline constexpr uint64_t kParentNone = 0;
inline constexpr uint64_t kParentElsewhere = 1;  // its id follows in the list of ids
inline constexpr uint64_t kParentDistance = 2;

// A dictionary chunk ends at this many payloads or bytes.
inline constexpr uint32_t kDictionaryChunkValues = 1024;
inline constexpr uint32_t kDictionaryChunkBytes = 16 << 10;

inline constexpr PageKey kHeaderKey{Section::kHeader, 0, 0};
inline constexpr PageKey kBoundsKey{Section::kOutliers, 0, 0};

// Where a page of an attribute column lies; `column` is its number in the segment.
inline PageKey ColumnPageKey(ItemTable table, uint32_t column, uint32_t page) {
  switch (table) {
    case ItemTable::kEvents:
      return {Section::kEvents, kNestedColumnsFirst + column, page};
    case ItemTable::kLinks:
      return {Section::kLinks, kNestedColumnsFirst + column, page};
    case ItemTable::kSpans:
      break;
  }
  return {Section::kAttributes, column, page};
}

inline Section NestedSection(ItemTable table) {
  return table == ItemTable::kEvents ? Section::kEvents : Section::kLinks;
}

}  // namespace larder
