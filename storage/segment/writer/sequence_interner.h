// Numbers distinct sequences of 32-bit words in the order they are first met: shapes and templates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"

namespace larder {

// Open addressing with linear probing, at most half full. Not thread-safe.
class SequenceInterner {
 public:
  SequenceInterner() : slots_(64) {}

  uint32_t Intern(std::span<const uint32_t> sequence) {
    if ((size() + 1) * 2 > slots_.size()) Grow();
    const uint64_t hash = HashOf(sequence);
    for (size_t slot = hash & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == 0) {
        words_.insert(words_.end(), sequence.begin(), sequence.end());
        ends_.push_back(words_.size());
        slots_[slot] = size();
        return size() - 1;
      }
      if (Equal(sequence, (*this)[slots_[slot] - 1])) return slots_[slot] - 1;
    }
  }

  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }
  // Valid until the next Intern.
  std::span<const uint32_t> operator[](uint32_t number) const {
    const size_t start = number == 0 ? 0 : ends_[number - 1];
    return std::span(words_).subspan(start, ends_[number] - start);
  }

 private:
  static uint64_t HashOf(std::span<const uint32_t> sequence) {
    return Hash64({reinterpret_cast<const char*>(sequence.data()), sequence.size_bytes()});
  }
  static bool Equal(std::span<const uint32_t> a, std::span<const uint32_t> b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  }

  void Grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (uint32_t number = 0; number < size(); ++number) {
      size_t slot = HashOf((*this)[number]) & (slots_.size() - 1);
      while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = number + 1;
    }
  }

  std::vector<uint32_t> words_;
  std::vector<size_t> ends_;
  std::vector<uint32_t> slots_;  // number + 1; 0 is free. A power of two many.
};

}  // namespace larder
