// What the leaves of a filter say of the distinct values of a table: asked once per value and not
// once per row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_filter.h"
#include "storage/segment/source/search_budget.h"

namespace larder {

enum class LeafAnswer : uint8_t { kUnknown = 0, kAbsent = 1, kNoMatch = 2, kMatch = 3 };

inline LeafAnswer AnswerOf(LeafState state) {
  if (!state.present) return LeafAnswer::kAbsent;
  return state.matched ? LeafAnswer::kMatch : LeafAnswer::kNoMatch;
}
inline LeafState StateOf(LeafAnswer answer) {
  return {answer > LeafAnswer::kAbsent, answer == LeafAnswer::kMatch};
}

// Answers to the attribute pairs of a leaf's key; to all others kAbsent.
class PairAnswers {
 public:
  LeafAnswer operator[](PairId pair) const { return whole_.empty() ? Find(pair) : whole_[pair]; }
  // REQUIRES: `pair` is number `place` of the pairs that FillPairs was given.
  void Set(size_t place, PairId pair, LeafAnswer answer) {
    (whole_.empty() ? answers_[place] : whole_[pair]) = answer;
  }

 private:
  friend class LeafMemos;

  LeafAnswer Find(PairId pair) const {
    const auto found = std::lower_bound(of_key_.begin(), of_key_.end(), pair);
    if (found == of_key_.end() || *found != pair) return LeafAnswer::kAbsent;
    return answers_[static_cast<size_t>(found - of_key_.begin())];
  }

  std::vector<LeafAnswer> whole_;    // of each pair of the table; or, when it is empty:
  std::vector<PairId> of_key_;       // ascending
  std::vector<LeafAnswer> answers_;  // of each of these
};

// The memos of one leaf. All but `strings` are complete.
struct LeafMemo {
  PairAnswers pairs;
  std::vector<LeafAnswer> resources;
  std::vector<LeafAnswer> scopes;
  std::vector<LeafAnswer> strings;  // asked for one by one; empty: they are not remembered
};

// The memos of one search, charged to its budget. Not thread-safe.
class LeafMemos {
 public:
  // A byte for every pair or string of the table is the fastest to ask, and too much for each of
  // thousands of leaves. Those that come when this is spent hold the pairs of their key alone, and
  // no strings.
  static constexpr uint64_t kWholeBytesMax = 4 << 20;

  LeafMemos(size_t leaf_count, SearchBudget* budget) : memos_(leaf_count), memory_(budget) {}

  LeafMemo& operator[](size_t leaf) { return memos_[leaf]; }

  // Each fills one memo. kResourceExhausted as the budget.
  //
  // Sorts `of_key`, whose answers are then to be Set. REQUIRES: they are below `pair_count`.
  Status FillPairs(uint32_t pair_count, std::vector<PairId>* of_key, PairAnswers* pairs);
  Status FillAbsent(uint32_t count, std::vector<LeafAnswer>* answers);
  Status FillUnknown(uint32_t string_count, std::vector<LeafAnswer>* strings);

 private:
  bool HasRoomFor(uint32_t count) const { return whole_bytes_ + count <= kWholeBytesMax; }
  Status FillWhole(uint32_t count, LeafAnswer answer, std::vector<LeafAnswer>* answers);

  std::vector<LeafMemo> memos_;
  MemoryCharge memory_;
  uint64_t whole_bytes_ = 0;
};

}  // namespace larder
