// Append-only storage with stable addresses, for one writer and many readers without locks.
//
// A reader may look at what the writer had written before some release store that the reader has
// seen by an acquire load (SpanTable's published counts).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "storage/base/check.h"

namespace larder {

// At most kSizeMaxWanted elements. T is plain data.
//
// They lie in pieces, each as large as all before it together, up to 1 << kPieceBits elements: so
// a short array is small, and a long one wastes little. A directory leads to every grain of
// 1 << kGrainBits elements:
//
//   directory   | g0 | g1 | g2 | g3 | g4 ...
//                 |    |    |    |____|__
//   pieces       [g0] [g1] [g2   g3] [g4   g5   g6   g7] ...
//
// A directory that is too short is replaced and kept, as readers may be looking at it.
template <typename T, uint32_t kGrainBits, uint32_t kPieceBits, uint64_t kSizeMaxWanted>
class ChunkedArray {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(kGrainBits <= kPieceBits);
  static_assert(kSizeMaxWanted <= uint64_t{1} << 31);
  static_assert(kSizeMaxWanted % (uint64_t{1} << kPieceBits) == 0);

 public:
  static constexpr uint32_t kGrainSize = 1u << kGrainBits;
  static constexpr uint32_t kPieceSize = 1u << kPieceBits;
  static constexpr uint64_t kSizeMax = kSizeMaxWanted;

  ChunkedArray() = default;
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;

  // ---- any thread, for what is published ----

  const T& operator[](uint32_t index) const { return *At(index); }
  // A run that AllocateRun gave out.
  std::span<const T> Run(uint32_t first, uint32_t count) const {
    return count == 0 ? std::span<const T>() : std::span<const T>(At(first), count);
  }

  // ---- writer ----

  uint32_t size() const { return size_; }
  T& Mutable(uint32_t index) { return *At(index); }

  // REQUIRES: size() < kSizeMax.
  void PushBack(const T& value) {
    if (size_ == end_) AddPiece(1);
    *At(size_++) = value;
  }

  // Room for `count` elements in one piece, uninitialised; their first index in `first`. What is
  // left of a piece that is too short stays unused. False: the array is full.
  [[nodiscard]] bool AllocateRun(uint32_t count, uint32_t* first) {
    if (count > end_ - size_) {
      if (uint64_t{end_} + count > kSizeMax) return false;
      size_ = end_;
      AddPiece(count);
    }
    *first = size_;
    size_ += count;
    return true;
  }

  // Drops unpublished elements from the end.
  void Truncate(uint32_t size) {
    size_ = size;
    while (!pieces_.empty() && pieces_.back().first >= size) {
      end_ = pieces_.back().first;
      allocated_ -= pieces_.back().size;
      pieces_.pop_back();
    }
  }

  uint64_t memory_bytes() const { return allocated_ * sizeof(T) + directory_bytes_ + sizeof *this; }

 private:
  struct Piece {
    uint32_t first = 0;
    uint32_t size = 0;
    std::unique_ptr<T[]> items;
  };

  T* At(uint32_t index) const {
    return directory_.load(std::memory_order_acquire)[index >> kGrainBits] +
           (index & (kGrainSize - 1));
  }

  // REQUIRES: size_ == end_, and room for `count` more.
  void AddPiece(uint64_t count) {
    LARDER_CHECK(end_ + count <= kSizeMax);
    const uint64_t wanted = std::max(std::clamp<uint64_t>(allocated_, kGrainSize, kPieceSize),
                                     (count + kGrainSize - 1) >> kGrainBits << kGrainBits);
    const auto size = static_cast<uint32_t>(std::min(wanted, kSizeMax - end_));
    pieces_.push_back({end_, size, std::unique_ptr<T[]>(new T[size])});
    allocated_ += size;
    T* const items = pieces_.back().items.get();
    T** const directory = Directory((end_ + size) >> kGrainBits);
    for (uint32_t at = 0; at < size; at += kGrainSize) {
      directory[(end_ + at) >> kGrainBits] = items + at;
    }
    end_ += size;
  }

  // The directory, made longer when it has fewer entries. Entries of what is not published may be
  // written while readers look at others.
  T** Directory(size_t entries) {
    T** const old = directory_.load(std::memory_order_relaxed);
    if (entries <= directory_size_) return old;
    const size_t size = std::max(entries, 2 * directory_size_);
    directories_.push_back(std::unique_ptr<T*[]>(new T*[size]()));
    T** const longer = directories_.back().get();
    if (old != nullptr) std::memcpy(longer, old, directory_size_ * sizeof(T*));
    directory_size_ = size;
    directory_bytes_ += size * sizeof(T*);
    directory_.store(longer, std::memory_order_release);
    return longer;
  }

  std::atomic<T**> directory_ = nullptr;
  uint32_t size_ = 0;
  uint32_t end_ = 0;  // of the last piece
  size_t directory_size_ = 0;
  uint64_t directory_bytes_ = 0;  // of all that were
  uint64_t allocated_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::unique_ptr<T*[]>> directories_;
};

}  // namespace larder
