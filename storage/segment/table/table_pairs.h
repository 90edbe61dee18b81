// Which attribute pairs of a growing SpanTable have which key, and roughly which blocks hold which
// pairs: what a search over a head needs to leave keys and blocks out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/source/block_set.h"

namespace larder {

// Gathered when it is first asked for, once per pair and once per full block, and shared by all
// snapshots of the table. Thread-safe. `table` must outlive it.
class TablePairs {
 public:
  explicit TablePairs(const SpanTable& table) : table_(table) {}

  // Appends the pairs below `pair_count` with this key. REQUIRES: pair_count is not more than the
  // table's.
  void FindKey(std::string_view key, uint32_t pair_count, std::vector<PairId>* pairs);

  // The blocks of rows [0, row_count) that may hold one of the pairs. REQUIRES: the rows are
  // published. A last block that is not full is always one of them.
  BlockSet BlocksHolding(std::span<const PairId> pairs, uint32_t row_count);

 private:
  // 16,384 bits, one hash: a block holds about 2,000 distinct pairs, so one question in eight names
  // a block for nothing; 2 KiB for a block of about 250.
  static constexpr uint32_t kFilterBits = 14;
  using Filter = std::array<uint64_t, (1u << kFilterBits) / 64>;

  static uint32_t Place(PairId pair) { return pair * 0x9E3779B1u >> (32 - kFilterBits); }
  void AddList(ListRange range, Filter* filter) const;
  std::unique_ptr<const Filter> MakeFilter(uint32_t block) const;

  const SpanTable& table_;
  Mutex mu_;
  uint32_t pair_count_ GUARDED_BY(mu_) = 0;                             // pairs that are in
  std::vector<std::vector<PairId>> column_pairs_ GUARDED_BY(mu_);       // of each column, ascending
  std::vector<std::unique_ptr<const Filter>> filters_ GUARDED_BY(mu_);  // of the first full blocks
};

}  // namespace larder
