// Finds equal byte strings: the writer's side of every dictionary of a SpanTable. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"
#include "storage/model/table/byte_arena.h"
#include "storage/model/table/chunked_array.h"

namespace larder {

inline constexpr uint32_t kNoId = UINT32_MAX;

// Hash to id by open addressing; who owns the ids compares. Keeps 32 bits of each hash, so that it
// grows without touching what it indexes.
class HashIndex {
 public:
  // The id for which `equal(id)` holds among those inserted under `hash`, or kNoId.
  template <typename Equal>
  uint32_t Find(uint64_t hash, const Equal& equal) const {
    if (slots_.empty()) return kNoId;
    for (uint64_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.id == kNoId) return kNoId;
      if (slot.hash == static_cast<uint32_t>(hash) && equal(slot.id)) return slot.id;
    }
  }

  void Insert(uint64_t hash, uint32_t id) {
    if (count_ * 4 >= slots_.size() * 3) Grow();
    Place({static_cast<uint32_t>(hash), id});
    ++count_;
  }

  uint64_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t id = kNoId;
  };

  uint64_t mask() const { return slots_.size() - 1; }

  void Place(Slot slot) {
    uint64_t at = slot.hash & mask();
    while (slots_[at].id != kNoId) at = (at + 1) & mask();
    slots_[at] = slot;
  }

  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != kNoId) Place(slot);
    }
  }

  std::vector<Slot> slots_;
  uint64_t count_ = 0;
};

// Each distinct byte string once, numbered from 0; readers may use operator[] for published ids.
class StringTable {
  using Views = ChunkedArray<std::string_view, 6, 12, 1u << 24>;

 public:
  static constexpr uint64_t kSizeMax = Views::kSizeMax;

  // The empty string is id 0.
  StringTable() { Intern({}); }

  // REQUIRES: size() < kSizeMax.
  uint32_t Intern(std::string_view bytes) {
    const uint64_t hash = Hash64(bytes);
    const uint32_t known = index_.Find(hash, [&](uint32_t id) { return views_[id] == bytes; });
    if (known != kNoId) return known;
    const uint32_t id = views_.size();
    views_.PushBack(arena_.Copy(bytes));
    index_.Insert(hash, id);
    return id;
  }

  std::string_view operator[](uint32_t id) const { return views_[id]; }
  uint32_t size() const { return views_.size(); }
  uint64_t memory_bytes() const {
    return views_.memory_bytes() + arena_.memory_bytes() + index_.memory_bytes();
  }

 private:
  Views views_;
  ByteArena arena_;
  HashIndex index_;
};

}  // namespace larder
