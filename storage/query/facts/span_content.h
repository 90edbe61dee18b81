// Spans by content: which ones are equal in every field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"

namespace larder {

// Two spans are equal in every field when these are (SpanSource::EncodeRows gives canonical bytes).
Hash128 SpanContentHash(std::string_view resource_envelope, std::string_view scope_envelope,
                        std::string_view span);

// Stands for the content of a span that could not be read: the greatest, so that whatever comes
// behind it in an order has another key.
inline constexpr Hash128 kUnreadContent{UINT64_MAX, UINT64_MAX};

// A set of hashes in one flat table, 16 bytes a slot, at most three quarters full.
class ContentSet {
 public:
  // False when it was in before.
  bool Insert(const Hash128& hash);
  uint64_t memory_bytes() const { return slots_.capacity() * sizeof(Hash128); }
  void Clear();

 private:
  void Grow();
  // The slot that holds `hash`, or the free one where it belongs.
  size_t SlotOf(const Hash128& hash) const;

  std::vector<Hash128> slots_;  // a power of two of them; all zero is free
  size_t size_ = 0;
};

}  // namespace larder
