// A set of blocks of one segment: what the index says of a value, a template or a filter node.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/coding.h"

namespace larder {

// Not thread-safe to change. Sets that meet have the same number of blocks.
class BlockSet {
 public:
  BlockSet() = default;
  explicit BlockSet(uint32_t block_count) : block_count_(block_count) {
    words_.resize((block_count + 63) / 64);
  }
  static BlockSet All(uint32_t block_count);

  uint32_t block_count() const { return block_count_; }
  // REQUIRES of the three below: block < block_count().
  void Add(uint32_t block) { words_[block / 64] |= uint64_t{1} << (block % 64); }
  void Remove(uint32_t block) { words_[block / 64] &= ~(uint64_t{1} << (block % 64)); }
  bool contains(uint32_t block) const { return (words_[block / 64] >> (block % 64) & 1) != 0; }
  void AddAll();
  void AddRange(uint32_t first, uint32_t last);  // [first, last)

  void UnionWith(const BlockSet& other);
  void IntersectWith(const BlockSet& other);
  void Subtract(const BlockSet& other);
  void Complement();

  bool empty() const;
  bool is_full() const { return count() == block_count_; }
  uint32_t count() const;
  // Calls visit(block), ascending.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(static_cast<uint32_t>(i * 64) + static_cast<uint32_t>(std::countr_zero(word)));
      }
    }
  }

  friend bool operator==(const BlockSet&, const BlockSet&) = default;

 private:
  uint32_t block_count_ = 0;
  std::vector<uint64_t> words_;  // bits past block_count_ are 0
};

// Appends the set in the smallest of its encodings (INDEX.md).
void PutBlockSet(std::string* to, const BlockSet& set);
// Takes a set off the front and adds its blocks to `set`, whose block_count says how many there
// are. False when the bytes are no such set; `set` is then undefined.
bool AddBlockSet(ByteReader* from, BlockSet* set);
// Takes a set off the front unread.
bool SkipBlockSet(ByteReader* from, uint32_t block_count);

}  // namespace larder
