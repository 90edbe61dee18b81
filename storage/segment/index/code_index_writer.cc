#include "storage/segment/index/code_index_writer.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "storage/base/coding.h"
#include "storage/bitmap/row_set.h"
#include "storage/segment/index/index_format.h"

namespace larder {
namespace {

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

void PutGaps(std::string* body, std::span<const uint32_t> ascending) {
  uint32_t next = 0;
  for (const uint32_t number : ascending) {
    PutVarint(body, number - next);
    next = number + 1;
  }
}

}  // namespace

CodeIndexWriter::CodeIndexWriter(const SegmentDraft& draft)
    : draft_(draft),
      spans_(draft.items[static_cast<size_t>(ItemTable::kSpans)]),
      block_count_((draft.row_count() + kBlockRows - 1) / kBlockRows) {}

std::vector<uint32_t> CodeIndexWriter::SlotsOf(uint32_t column) const {
  std::vector<uint32_t> of_shape;
  for (const std::vector<uint32_t>& shape : draft_.shapes) {
    of_shape.push_back(static_cast<uint32_t>(std::count(shape.begin(), shape.end(), column)));
  }
  std::vector<uint32_t> slots;
  for (const ItemTemplate& item : spans_.templates) slots.push_back(of_shape[item.shape]);
  return slots;
}

template <typename Visit>
void CodeIndexWriter::ForEachCode(uint32_t column, const std::vector<uint32_t>& slots,
                                  const Visit& visit) const {
  const uint32_t* code = draft_.columns[column].codes.data();
  for (uint32_t row = 0; row < spans_.item_templates.size(); ++row) {
    for (uint32_t left = slots[spans_.item_templates[row]]; left != 0; --left) visit(row, *code++);
  }
}

void CodeIndexWriter::Add(uint32_t number, const std::vector<uint32_t>& block_counts) {
  const std::vector<uint32_t> slots = SlotsOf(number);
  std::vector<FewCodes> of_template(spans_.templates.size());
  std::vector<uint32_t> row_counts(block_counts.size());
  ForEachCode(number, slots, [&](uint32_t row, uint32_t code) {
    of_template[spans_.item_templates[row]].Add(code);
    ++row_counts[code];
  });

  Column& column = columns_.emplace_back();
  column.column = number;
  std::vector<bool> varies(block_counts.size());
  bool some_vary_much = false;
  for (uint32_t item = 0; item < slots.size(); ++item) {
    if (slots[item] == 0) continue;
    FewCodes& few = of_template[item];
    some_vary_much |= few.too_many();
    const std::span<const uint32_t> codes = few.codes();
    PutVarint(&column.templates, few.too_many() ? 0 : codes.size());
    if (!few.too_many()) PutGaps(&column.templates, codes);
    if (!few.varies()) continue;
    for (const uint32_t code : codes) varies[code] = true;
  }
  const uint64_t bits_bytes = (draft_.row_count() + 7) / 8;
  for (uint32_t code = 0; code < block_counts.size(); ++code) {
    const bool frequent =
        block_counts[code] > 1 && block_counts[code] * kRowSetBlocksOneIn >= block_count_;
    if (!frequent || !(varies[code] || some_vary_much)) continue;
    candidates_.push_back({std::min<uint64_t>(row_counts[code], bits_bytes), row_counts[code],
                           static_cast<uint32_t>(columns_.size()) - 1, code});
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
  }
  for (Column& column : columns_) std::sort(column.row_codes.begin(), column.row_codes.end());
}

void CodeIndexWriter::WriteRows(const Column& column, PageWriter* pages) const {
  if (column.row_codes.empty()) return;
  const uint32_t code_count = draft_.columns[column.column].info.dictionary_size;
  std::vector<uint32_t> place(code_count, UINT32_MAX);
  for (uint32_t i = 0; i < column.row_codes.size(); ++i) place[column.row_codes[i]] = i;
  std::vector<std::vector<uint32_t>> rows(column.row_codes.size());
  ForEachCode(column.column, SlotsOf(column.column), [&](uint32_t row, uint32_t code) {
    if (place[code] != UINT32_MAX) rows[place[code]].push_back(row);
  });
  for (uint32_t i = 0; i < rows.size(); ++i) {
    std::string body;
    PutRowSet(&body, RowSet::Of(rows[i]), draft_.row_count());
    pages->Add(IndexRowsKey(column.column, code_count, i), body);
  }
}

void CodeIndexWriter::Write(PageWriter* pages) {
  Choose();
  for (const Column& column : columns_) {
    const uint32_t code_count = draft_.columns[column.column].info.dictionary_size;
    std::string body = column.templates;
    PutVarint(&body, column.row_codes.size());
    PutGaps(&body, column.row_codes);
    pages->Add(IndexTemplateCodesKey(column.column, code_count), body);
    WriteRows(column, pages);
  }
}

}  // namespace larder
