// A set of rows of one block, as bits.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "storage/segment/source/span_source.h"

namespace larder {

class RowMask {
 public:
  static RowMask First(uint32_t count) {
    RowMask mask;
    for (uint32_t word = 0; word < count / 64; ++word) mask.words_[word] = ~uint64_t{0};
    if (count % 64 != 0) mask.words_[count / 64] = (uint64_t{1} << (count % 64)) - 1;
    return mask;
  }

  // Low bits first.
  std::span<uint64_t> words() { return words_; }
  // REQUIRES: row < kBlockRows.
  void Add(uint32_t row) { words_[row / 64] |= uint64_t{1} << (row % 64); }
  bool contains(uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void Set(uint32_t row, bool value) { words_[row / 64] |= uint64_t{value} << (row % 64); }
  bool empty() const {
    uint64_t any = 0;
    for (const uint64_t word : words_) any |= word;
    return any == 0;
  }

  RowMask& operator&=(const RowMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  RowMask& operator|=(const RowMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  RowMask& Subtract(const RowMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
  }
  // Adds to `mask` the rows below `row_count` of this one for which holds(row) is true. Without a
  // branch per row: for conditions that cost less than a misprediction.
  template <typename Holds>
  void Select(uint32_t row_count, const Holds& holds, RowMask* mask) const {
    for (uint32_t i = 0; i < words_.size(); ++i) {
      if (words_[i] == 0) continue;
      const uint32_t first = i * 64;
      const uint32_t count = row_count - first < 64 ? row_count - first : 64;
      uint64_t word = 0;
      for (uint32_t bit = 0; bit < count; ++bit) {
        word |= static_cast<uint64_t>(holds(first + bit)) << bit;
      }
      mask->words_[i] |= word & words_[i];
    }
  }
  // Calls visit(row), ascending.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(static_cast<uint32_t>(i * 64) + static_cast<uint32_t>(std::countr_zero(word)));
      }
    }
  }

 private:
  std::array<uint64_t, kBlockRows / 64> words_{};
};

}  // namespace larder
