#include "storage/segment/table/table_pairs.h"

#include <algorithm>

#include "storage/segment/source/span_source.h"

namespace larder {

void TablePairs::FindKey(std::string_view key, uint32_t pair_count, std::vector<PairId>* pairs) {
  MutexLock lock(mu_);
  for (; pair_count_ < pair_count; ++pair_count_) {
    const uint32_t column = table_.pair(pair_count_).column;
    if (column >= column_pairs_.size()) column_pairs_.resize(column + 1);
    column_pairs_[column].push_back(pair_count_);
  }
  for (uint32_t column = 0; column < column_pairs_.size(); ++column) {
    const std::vector<PairId>& known = column_pairs_[column];
    if (known.empty() || table_.column(column).key != key) continue;
    const auto end = std::lower_bound(known.begin(), known.end(), pair_count);
    pairs->insert(pairs->end(), known.begin(), end);
  }
}

BlockSet TablePairs::BlocksHolding(std::span<const PairId> pairs, uint32_t row_count) {
  BlockSet blocks((row_count + kBlockRows - 1) / kBlockRows);
  if (pairs.empty()) return blocks;
  const uint32_t full_blocks = row_count / kBlockRows;
  MutexLock lock(mu_);
  while (filters_.size() < full_blocks) {
    filters_.push_back(MakeFilter(static_cast<uint32_t>(filters_.size())));
  }
  for (uint32_t block = 0; block < full_blocks; ++block) {
    const Filter& filter = *filters_[block];
    const bool may_hold = std::any_of(pairs.begin(), pairs.end(), [&](PairId pair) {
      const uint32_t place = Place(pair);
      return (filter[place / 64] >> (place % 64) & 1) != 0;
    });
    if (may_hold) blocks.Add(block);
  }
  if (full_blocks < blocks.block_count()) blocks.Add(full_blocks);
  return blocks;
}

void TablePairs::AddList(ListRange range, Filter* filter) const {
  for (const PairId pair : table_.pairs(range)) {
    const uint32_t place = Place(pair);
    (*filter)[place / 64] |= uint64_t{1} << (place % 64);
  }
}

std::unique_ptr<const TablePairs::Filter> TablePairs::MakeFilter(uint32_t block) const {
  auto filter = std::make_unique<Filter>();
  for (uint32_t i = 0; i < kBlockRows; ++i) {
    const SpanRow& row = table_.row(block * kBlockRows + i);
    AddList(row.attributes, filter.get());
    for (uint32_t event = 0; event < row.events.count; ++event) {
      AddList(table_.event(row.events.first + event).attributes, filter.get());
    }
    for (uint32_t link = 0; link < row.links.count; ++link) {
      AddList(table_.link(row.links.first + link).attributes, filter.get());
    }
  }
  return filter;
}

}  // namespace larder
