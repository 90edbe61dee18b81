#include "storage/segment/index/code_index_writer.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <utility>

#include "storage/base/coding.h"
#include "storage/bitmap/row_set.h"
#include "storage/segment/index/index_format.h"

namespace larder {
// The distinct codes of one template, while they are few.
class FewCodes {
 public:
  void Add(uint32_t code) {
    if (count_ != 0 && codes_[last_] == code) return;
    for (uint32_t i = 0; i < count_ && count_ <= kTemplateCodesMax; ++i) {
      if (codes_[i] == code) {
        last_ = i;
        return;
      }
    }
    if (count_ < kTemplateCodesMax) codes_[last_ = count_] = code;
    if (count_ <= kTemplateCodesMax) ++count_;
  }
  bool varies() const { return count_ > 1; }
  bool too_many() const { return count_ > kTemplateCodesMax; }

  // Sorts them.
  std::span<const uint32_t> codes() {
    const std::span<uint32_t> codes(codes_.data(), std::min(count_, kTemplateCodesMax));
    std::sort(codes.begin(), codes.end());
    return codes;
  }

 private:
  std::array<uint32_t, kTemplateCodesMax> codes_{};
  uint32_t count_ = 0;  // one more than fit: too many
  uint32_t last_ = 0;   // place of the code met last
};

namespace {

// Rows that wait to be written together take at most about this much memory.
constexpr uint64_t kRowsTogetherMax = 1 << 20;

void PutGaps(std::string* body, std::span<const uint32_t> ascending) {
  uint32_t next = 0;
  for (const uint32_t number : ascending) {
    PutVarint(body, number - next);
    next = number + 1;
  }
}

}  // namespace

// Which of some columns the spans of each template have values in. A walk over all rows follows
// the codes of all these columns at once: most rows have values in few of them.
class CodeIndexWriter::Slots {
 public:
  // `places` into `columns`.
  Slots(const SegmentDraft& draft, const std::vector<Column>& columns,
        std::span<const uint32_t> places)
      : spans_(draft.items[static_cast<size_t>(ItemTable::kSpans)]) {
    std::vector<uint32_t> place_of(draft.columns.size(), kNone);
    codes_.resize(columns.size());
    for (const uint32_t place : places) {
      place_of[columns[place].column] = place;
      codes_[place] = draft.columns[columns[place].column].codes.data();
    }
    for (const ItemTemplate& item : spans_.templates) {
      starts_.push_back(size());
      for (const uint32_t column : draft.shapes[item.shape]) {
        if (place_of[column] != kNone) places_.push_back(place_of[column]);
      }
    }
    starts_.push_back(size());
  }

  uint32_t size() const { return static_cast<uint32_t>(places_.size()); }
  // The slots of a template: [first(item), first(item + 1)).
  uint32_t first(uint32_t item) const { return starts_[item]; }
  // The column of a slot.
  uint32_t place(uint32_t slot) const { return places_[slot]; }
  // The first slot of the same template with the same column.
  uint32_t first_like(uint32_t item, uint32_t slot) const {
    uint32_t other = starts_[item];
    while (places_[other] != places_[slot]) ++other;
    return other;
  }

  // Calls visit(row, slot, code) for every value of the columns, ascending by row.
  template <typename Visit>
  void ForEachCode(const Visit& visit) const {
    std::vector<const uint32_t*> next = codes_;
    for (uint32_t row = 0; row < spans_.item_templates.size(); ++row) {
      const uint32_t item = spans_.item_templates[row];
      for (uint32_t slot = starts_[item]; slot < starts_[item + 1]; ++slot) {
        visit(row, slot, *next[places_[slot]]++);
      }
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  const ItemTableDraft& spans_;
  std::vector<const uint32_t*> codes_;  // of each column
  std::vector<uint32_t> starts_;        // of each template, then the count
  std::vector<uint32_t> places_;        // of each slot
};

CodeIndexWriter::CodeIndexWriter(const SegmentDraft& draft)
    : draft_(draft),
      spans_(draft.items[static_cast<size_t>(ItemTable::kSpans)]),
      block_count_((draft.row_count() + kBlockRows - 1) / kBlockRows) {}

void CodeIndexWriter::Add(uint32_t number, std::vector<uint32_t> block_counts) {
  Column& column = columns_.emplace_back();
  column.column = number;
  column.row_counts.resize(block_counts.size());
  column.varies.resize(block_counts.size());
  column.block_counts = std::move(block_counts);
}

void CodeIndexWriter::CountCodes() {
  std::vector<uint32_t> all(columns_.size());
  std::iota(all.begin(), all.end(), 0);
  const Slots slots(draft_, columns_, all);
  std::vector<uint32_t> like(slots.size());
  for (uint32_t item = 0; item < spans_.templates.size(); ++item) {
    for (uint32_t slot = slots.first(item); slot < slots.first(item + 1); ++slot) {
      like[slot] = slots.first_like(item, slot);
    }
  }
  std::vector<FewCodes> of_slots(slots.size());
  std::vector<uint32_t*> row_counts;
  for (Column& column : columns_) row_counts.push_back(column.row_counts.data());
  slots.ForEachCode([&](uint32_t, uint32_t slot, uint32_t code) {
    of_slots[like[slot]].Add(code);
    ++row_counts[slots.place(slot)][code];
  });
  for (uint32_t item = 0; item < spans_.templates.size(); ++item) {
    for (uint32_t slot = slots.first(item); slot < slots.first(item + 1); ++slot) {
      if (like[slot] == slot) NoteTemplate(&of_slots[slot], &columns_[slots.place(slot)]);
    }
  }
}

// Called for each template with the column, in order.
void CodeIndexWriter::NoteTemplate(FewCodes* few, Column* column) {
  column->some_vary_much |= few->too_many();
  const std::span<const uint32_t> codes = few->codes();
  PutVarint(&column->templates, few->too_many() ? 0 : codes.size());
  if (!few->too_many()) PutGaps(&column->templates, codes);
  if (!few->varies()) return;
  for (const uint32_t code : codes) column->varies[code] = true;
}

void CodeIndexWriter::FindCandidates() {
  const uint64_t bits_bytes = (draft_.row_count() + 7) / 8;
  for (uint32_t place = 0; place < columns_.size(); ++place) {
    const Column& column = columns_[place];
    for (uint32_t code = 0; code < column.block_counts.size(); ++code) {
      const uint32_t blocks = column.block_counts[code];
      const bool frequent = blocks > 1 && blocks * kRowSetBlocksOneIn >= block_count_;
      if (!frequent || !(column.varies[code] || column.some_vary_much)) continue;
      const uint32_t rows = column.row_counts[code];
      candidates_.push_back({std::min<uint64_t>(rows, bits_bytes), rows, place, code});
    }
  }
}

// Columns of few values first, each whole but for its most frequent value: that one has none of the
// rows of the others. Then the rarest values of the other columns.
void CodeIndexWriter::Choose() {
  std::vector<uint64_t> column_bytes(columns_.size());
  std::vector<uint32_t> column_sets(columns_.size());
  std::vector<uint32_t> row_count_max(columns_.size());
  for (const Candidate& candidate : candidates_) {
    column_bytes[candidate.place] += candidate.cost_bytes;
    ++column_sets[candidate.place];
    row_count_max[candidate.place] = std::max(row_count_max[candidate.place], candidate.row_count);
  }
  const auto cost = [&](const Candidate& candidate) {
    const bool few = column_sets[candidate.place] <= kRowSetsOfColumnMax;
    const bool most_frequent = candidate.row_count == row_count_max[candidate.place];
    return std::tuple(!few || most_frequent, few ? column_bytes[candidate.place] : 0,
                      candidate.row_count, candidate.place, candidate.code);
  };
  std::sort(candidates_.begin(), candidates_.end(),
            [&](const Candidate& a, const Candidate& b) { return cost(a) < cost(b); });
  uint64_t left_bytes = draft_.row_count() * kRowSetPercent / 100;
  for (const Candidate& candidate : candidates_) {
    if (candidate.cost_bytes > left_bytes) break;
    left_bytes -= candidate.cost_bytes;
    columns_[candidate.place].row_codes.push_back(candidate.code);
    columns_[candidate.place].kept_rows += candidate.row_count;
  }
  for (Column& column : columns_) std::sort(column.row_codes.begin(), column.row_codes.end());
}

void CodeIndexWriter::WriteRows(std::span<const uint32_t> places, PageWriter* pages) const {
  const Slots slots(draft_, columns_, places);
  // Of each column, of each code: the rows, where they are kept.
  std::vector<std::vector<std::vector<uint32_t>*>> lists(columns_.size());
  std::vector<std::vector<std::vector<uint32_t>>> rows(columns_.size());
  for (const uint32_t place : places) {
    const Column& column = columns_[place];
    rows[place].resize(column.row_codes.size());
    lists[place].resize(column.row_counts.size());
    for (size_t i = 0; i < column.row_codes.size(); ++i) {
      const uint32_t code = column.row_codes[i];
      rows[place][i].reserve(column.row_counts[code]);
      lists[place][code] = &rows[place][i];
    }
  }
  slots.ForEachCode([&](uint32_t row, uint32_t slot, uint32_t code) {
    if (std::vector<uint32_t>* list = lists[slots.place(slot)][code]) list->push_back(row);
  });
  for (const uint32_t place : places) {
    const uint32_t column = columns_[place].column;
    const uint32_t code_count = draft_.columns[column].info.dictionary_size;
    for (uint32_t i = 0; i < rows[place].size(); ++i) {
      std::string body;
      PutRowSet(&body, RowSet::Of(rows[place][i]), draft_.row_count());
      pages->Add(IndexRowsKey(column, code_count, i), body);
    }
  }
}

void CodeIndexWriter::Write(PageWriter* pages) {
  CountCodes();
  FindCandidates();
  Choose();
  std::vector<uint32_t> together;
  uint64_t rows_together = 0;
  for (uint32_t place = 0; place < columns_.size(); ++place) {
    const Column& column = columns_[place];
    std::string body = column.templates;
    PutVarint(&body, column.row_codes.size());
    PutGaps(&body, column.row_codes);
    const uint32_t code_count = draft_.columns[column.column].info.dictionary_size;
    pages->Add(IndexTemplateCodesKey(column.column, code_count), body);
    if (column.row_codes.empty()) continue;
    if (rows_together + column.kept_rows > kRowsTogetherMax && !together.empty()) {
      WriteRows(together, pages);
      together.clear();
      rows_together = 0;
    }
    together.push_back(place);
    rows_together += column.kept_rows;
  }
  if (!together.empty()) WriteRows(together, pages);
}

}  // namespace larder
