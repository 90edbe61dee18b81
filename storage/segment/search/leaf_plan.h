// What one leaf of a filter means for one segment: which templates settle it, which columns hold
// the values that decide the rest, and in which blocks such values lie.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/index/index_reader.h"
#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/source/block_set.h"

namespace larder {

// Kleene's three values; and is their minimum, or their maximum, not is 2 - x.
enum class Truth : uint8_t { kNo = 0, kMaybe = 1, kYes = 2 };
inline Truth Negation(Truth truth) { return static_cast<Truth>(2 - static_cast<int>(truth)); }

// A column that may hold values of the leaf's reference.
struct LeafColumn {
  uint32_t column = 0;
  bool overflow = false;                 // values are KeyValues of any key
  bool can_match = false;                // some value may match
  bool must_match = false;               // every value matches
  std::vector<uint32_t> matching_codes;  // of a dictionary column, ascending, unless must_match
  std::vector<uint64_t> code_bits;       // the same as bits
  // Of each span template what its codes say of the column's values; empty where that is not known.
  std::vector<Truth> by_template;

  bool code_matches(uint32_t code) const {
    return must_match || (code_bits[code / 64] >> (code % 64) & 1) != 0;
  }
};

// The columns of one item table that a leaf looks at.
struct LeafTable {
  std::vector<LeafColumn> columns;
  // Of each shape: its slots that lie in `columns`, as numbers into it, in slot order.
  std::vector<uint32_t> shape_starts;
  std::vector<uint32_t> slots;

  std::span<const uint32_t> slots_of(uint32_t shape) const {
    return std::span(slots).subspan(shape_starts[shape],
                                    shape_starts[shape + 1] - shape_starts[shape]);
  }
};

struct LeafPlan {
  // Who decides the rows of a template that is kMaybe.
  enum class Method : uint8_t {
    kColumns,  // `tables`: attributes, and the span's texts that have a column
    kFields,   // columns of fields (field_columns.h)
    kRanges,   // `ranges`: it holds in them, or, negated, in all other rows
    kRows,     // row by row
  };
  Method method = Method::kRows;
  std::vector<Truth> truths;        // of each span template
  std::vector<LeafState> base;      // of each span template: what resource and scope say
  std::array<LeafTable, 3> tables;  // by ItemTable
  bool has_events = false;          // the leaf may find values in events, in links
  bool has_links = false;
  std::vector<RowRange> ranges;
  std::vector<uint32_t> certain_templates;  // all their rows satisfy the leaf, on any block
  // No row of another block satisfies the leaf unless its template is one of those.
  BlockSet value_blocks;
  BlockSet certain_blocks;  // every row of these does

  uint64_t memory_bytes() const;  // roughly
};

// The plan borrows neither. kDataLoss, kUnavailable: the index or a dictionary cannot be read.
Result<LeafPlan> PlanLeaf(const SegmentColumns& columns, const FilterLeaf& leaf);

}  // namespace larder
