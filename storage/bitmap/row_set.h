// A set of rows of one segment, as a roaring bitmap (https://roaringbitmap.org, Lemire et al.,
// "Consistently faster and smaller compressed bitmaps with Roaring"): chunks of 65,536 rows, each
// in the smallest of an array, a bitset, runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace larder {

// Copies are deep. Not thread-safe to change.
class RowSet {
 public:
  RowSet();
  ~RowSet();
  RowSet(const RowSet& other);
  RowSet& operator=(const RowSet& other);
  RowSet(RowSet&& other) noexcept;  // the other may then only be assigned to or destroyed
  RowSet& operator=(RowSet&& other) noexcept;

  static RowSet Of(std::span<const uint32_t> rows);  // in any order; fast when ascending

  void AddRange(uint32_t first, uint32_t last);  // [first, last)
  void UnionWith(const RowSet& other);
  void IntersectWith(const RowSet& other);
  void Subtract(const RowSet& other);
  // Becomes the rows of [0, row_count) that it did not hold. REQUIRES: it holds no others.
  void Complement(uint32_t row_count);

  bool empty() const;
  uint64_t count() const;
  bool contains(uint32_t row) const;
  // The first row of the set that is not before `row`.
  std::optional<uint32_t> NextFrom(uint32_t row) const;
  // Replaces `words` by the rows from `first` on, one bit each, low bits first.
  void CopyBits(uint32_t first, std::span<uint64_t> words) const;
  // Calls visit(row), ascending.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (std::optional<uint32_t> row = NextFrom(0); row; row = NextFrom(*row + 1)) visit(*row);
  }
  uint64_t memory_bytes() const;

  friend bool operator==(const RowSet& a, const RowSet& b);

 private:
  friend void PutRowSet(std::string* to, const RowSet& set, uint32_t row_count);
  friend bool GetRowSet(std::string_view bytes, uint32_t row_count, RowSet* set);

  class Bitmap;
  std::unique_ptr<Bitmap> bitmap_;
};

// Appends the set in the smallest of its encodings (ROWS.md), which takes all that follows: nothing
// may come after it. REQUIRES: all rows are below row_count.
void PutRowSet(std::string* to, const RowSet& set, uint32_t row_count);
// Replaces `set` by what PutRowSet wrote. False when the bytes are no such set, whatever they are;
// `set` is then undefined.
bool GetRowSet(std::string_view bytes, uint32_t row_count, RowSet* set);

}  // namespace larder
