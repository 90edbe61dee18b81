#include "storage/query/facts/span_content.h"

#include <array>
#include <cstring>

namespace larder {

Hash128 SpanContentHash(std::string_view resource_envelope, std::string_view scope_envelope,
                        std::string_view span) {
  const std::array<Hash128, 3> parts = {HashWide(resource_envelope), HashWide(scope_envelope),
                                        HashWide(span)};
  return HashWide({reinterpret_cast<const char*>(parts.data()), sizeof(parts)});
}

bool ContentSet::Insert(const Hash128& hash) {
  if (size_ * 4 >= slots_.size() * 3) Grow();
  Hash128 key = hash;
  if (key == Hash128{}) key.low = 1;
  Hash128& slot = slots_[SlotOf(key)];
  if (slot == key) return false;
  slot = key;
  ++size_;
  return true;
}

void ContentSet::Clear() {
  slots_.clear();
  slots_.shrink_to_fit();
  size_ = 0;
}

void ContentSet::Grow() {
  std::vector<Hash128> old(slots_.empty() ? 16 : slots_.size() * 2);
  old.swap(slots_);
  for (const Hash128& hash : old) {
    if (hash != Hash128{}) slots_[SlotOf(hash)] = hash;
  }
}

size_t ContentSet::SlotOf(const Hash128& hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = static_cast<size_t>(hash.low) & mask;
  while (slots_[slot] != Hash128{} && slots_[slot] != hash) slot = (slot + 1) & mask;
  return slot;
}

}  // namespace larder
