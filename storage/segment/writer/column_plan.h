// Decides which columns the items of one table get and how each is coded, from counts of the values
// that the items have. Used once per table while a segment is drafted: count, choose, ask, finish.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "storage/model/table/span_table.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// A (key, type) with fewer values shares the overflow column: a column costs about 200 bytes.
inline constexpr uint32_t kColumnValuesMin = 64;
// Of more frequent keys than this the least frequent overflow.
inline constexpr uint32_t kColumnsMax = 1000;

// Where a value goes: a column, and what is put into ColumnDraft::codes for it (its code, or for
// columns without a dictionary the number by which Finish finds the payload).
struct ValuePlace {
  uint32_t column = 0;
  uint32_t code = 0;
};

// Not thread-safe. `table` must outlive the plan.
class ColumnPlan {
 public:
  ColumnPlan(const SpanTable* table, ItemTable items);

  void CountPair(PairId pair) { ++pair_counts_[pair]; }
  // `role` is kTraceState, kStatusMessage or kRest.
  void CountString(ColumnRole role, StringId string) { ++Strings(role).counts[string]; }

  // Appends the columns to `columns`, ready to take codes. Called once, after all counting.
  void Choose(std::vector<ColumnDraft>* columns);

  // After Choose, for what was counted.
  ValuePlace Place(PairId pair) const { return pair_places_[pair]; }
  ValuePlace Place(ColumnRole role, StringId string) const {
    return strings_[static_cast<size_t>(role)].places[string];
  }

  // Turns the codes of the columns chosen here into numbers and payloads where they have no
  // dictionary. Called once, after all codes were put.
  void Finish(std::vector<ColumnDraft>* columns) const;

 private:
  // The strings of one role; the vectors are empty until the role comes up.
  struct StringValues {
    std::vector<uint32_t> counts;
    std::vector<ValuePlace> places;
  };
  struct KeyValues {
    uint32_t value_count = 0;
    std::vector<PairId> pairs;
  };

  StringValues& Strings(ColumnRole role);
  void ChoosePairs(std::vector<ColumnDraft>* columns);
  void AddPairColumn(ColumnRole role, uint32_t key_column, const std::vector<PairId>& pairs,
                     std::vector<ColumnDraft>* columns);
  void AddStringColumn(ColumnRole role, std::vector<ColumnDraft>* columns);
  std::string_view PairPayload(ColumnRole role, PairId pair) const;

  const SpanTable* const table_;
  const ItemTable items_;
  uint32_t first_column_ = 0;
  uint32_t last_column_ = 0;
  std::vector<uint32_t> pair_counts_;
  std::vector<ValuePlace> pair_places_;
  std::array<StringValues, 5> strings_;  // by ColumnRole
};

}  // namespace larder
