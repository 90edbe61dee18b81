#include "storage/bitmap/row_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/bitmap/row_set_bitmap.h"

namespace larder {

RowSet::RowSet() : bitmap_(std::make_unique<Bitmap>(roaring_bitmap_create())) {}
RowSet::~RowSet() = default;
RowSet::RowSet(const RowSet& other)
    : bitmap_(std::make_unique<Bitmap>(roaring_bitmap_copy(other.bitmap_->get()))) {}
RowSet& RowSet::operator=(const RowSet& other) {
  if (this != &other) *this = RowSet(other);
  return *this;
}
RowSet::RowSet(RowSet&& other) noexcept = default;
RowSet& RowSet::operator=(RowSet&& other) noexcept = default;

RowSet RowSet::Of(std::span<const uint32_t> rows) {
  RowSet set;
  roaring_bitmap_add_many(set.bitmap_->get(), rows.size(), rows.data());
  roaring_bitmap_run_optimize(set.bitmap_->get());
  return set;
}

void RowSet::AddRange(uint32_t first, uint32_t last) {
  if (first < last) roaring_bitmap_add_range_closed(bitmap_->get(), first, last - 1);
}

void RowSet::UnionWith(const RowSet& other) {
  roaring_bitmap_or_inplace(bitmap_->get(), other.bitmap_->get());
}

void RowSet::IntersectWith(const RowSet& other) {
  roaring_bitmap_and_inplace(bitmap_->get(), other.bitmap_->get());
}

void RowSet::Subtract(const RowSet& other) {
  roaring_bitmap_andnot_inplace(bitmap_->get(), other.bitmap_->get());
}

void RowSet::Complement(uint32_t row_count) {
  roaring_bitmap_flip_inplace(bitmap_->get(), 0, row_count);
}

bool RowSet::empty() const { return roaring_bitmap_is_empty(bitmap_->get()); }

uint64_t RowSet::count() const { return roaring_bitmap_get_cardinality(bitmap_->get()); }

bool RowSet::contains(uint32_t row) const { return roaring_bitmap_contains(bitmap_->get(), row); }

std::optional<uint32_t> RowSet::NextFrom(uint32_t row) const {
  roaring_uint32_iterator_t iterator;
  roaring_init_iterator(bitmap_->get(), &iterator);
  if (!roaring_move_uint32_iterator_equalorlarger(&iterator, row)) return std::nullopt;
  return iterator.current_value;
}

void RowSet::CopyBits(uint32_t first, std::span<uint64_t> words) const {
  std::fill(words.begin(), words.end(), 0);
  const uint64_t end = uint64_t{first} + words.size() * 64;
  roaring_uint32_iterator_t iterator;
  roaring_init_iterator(bitmap_->get(), &iterator);
  if (!roaring_move_uint32_iterator_equalorlarger(&iterator, first)) return;
  std::array<uint32_t, 256> rows;
  while (true) {
    const uint32_t count = roaring_read_uint32_iterator(&iterator, rows.data(), rows.size());
    for (uint32_t i = 0; i < count; ++i) {
      if (rows[i] >= end) return;
      const uint32_t bit = rows[i] - first;
      words[bit / 64] |= uint64_t{1} << (bit % 64);
    }
    if (count < rows.size()) return;
  }
}

uint64_t RowSet::memory_bytes() const {
  // In memory as on disk, but for a few words per chunk.
  return roaring_bitmap_portable_size_in_bytes(bitmap_->get()) + 64;
}

bool operator==(const RowSet& a, const RowSet& b) {
  return roaring_bitmap_equals(a.bitmap_->get(), b.bitmap_->get());
}

}  // namespace larder
