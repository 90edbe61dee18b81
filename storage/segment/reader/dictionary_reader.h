// Reads the dictionary of one column, chunk by chunk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/reader/segment_pages.h"

namespace larder {

// Consecutive payloads of a dictionary. Immutable.
class DictionaryChunk : public CachedPage {
 public:
  std::vector<uint32_t> offsets;
  std::string arena;

  uint32_t size() const { return static_cast<uint32_t>(offsets.size() - 1); }
  // `i` counts from the chunk's first payload.
  std::string_view payload(uint32_t i) const {
    return std::string_view(arena).substr(offsets[i], offsets[i + 1] - offsets[i]);
  }
  uint64_t memory_bytes() const override {
    return sizeof(*this) + offsets.capacity() * sizeof(uint32_t) + arena.capacity();
  }
};

// Thread-safe. Holds nothing itself but borrows from `pages`.
class DictionaryReader : public ColumnDictionary {
 public:
  // `pages` must outlive the reader. REQUIRES: the column has a dictionary.
  DictionaryReader(const SegmentPages* pages, uint32_t column);

  uint32_t size() const override { return info().dictionary_size; }
  Status Append(uint32_t code, std::string* payload) const override;
  Result<std::optional<uint32_t>> Find(std::string_view payload) const override;
  Result<uint32_t> LowerBound(std::string_view payload) const override;
  Status ForEach(uint32_t first, uint32_t last,
                 const std::function<bool(uint32_t, std::string_view)>& visit) const override;

  // The chunk that holds a code, and the code of its first payload.
  Result<std::shared_ptr<const DictionaryChunk>> ChunkOf(uint32_t code, uint32_t* first_code) const;

 private:
  class Directory;

  const ColumnInfo& info() const { return pages_->header().columns[column_]; }
  PageKey KeyOf(uint32_t page) const { return {Section::kDictionaries, column_, page}; }
  PageOf<Directory> ReadDirectory() const;
  PageOf<DictionaryChunk> ReadChunk(uint32_t chunk, uint32_t value_count) const;
  Status DecodeChunk(PageKey key, std::string_view body, uint32_t value_count,
                     DictionaryChunk* chunk) const;

  const SegmentPages* const pages_;
  const uint32_t column_;
  const uint32_t chunk_count_;
};

}  // namespace larder
