// Append-only storage with stable addresses, for one writer and many readers without locks.
//
// A reader may look at what the writer had written before some release store that the reader has
// seen by an acquire load (SpanTable's published counts). Under that rule chunk pointers need no
// ordering of their own.
#pragma once

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

// Elements in chunks of 1 << kChunkBits, at most kChunksMax chunks. T is plain data.
template <typename T, uint32_t kChunkBits, uint32_t kChunksMax>
class ChunkedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr uint32_t kChunkSize = 1u << kChunkBits;
  static constexpr uint64_t kSizeMax = uint64_t{kChunkSize} * kChunksMax;

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
    if ((size_ & (kChunkSize - 1)) == 0) AddChunks(size_ >> kChunkBits, 1);
    *At(size_++) = value;
  }

  // Room for `count` elements in one piece, uninitialised; their first index in `first`. What is
  // left of a chunk that is too short stays unused. False: the array is full.
  [[nodiscard]] bool AllocateRun(uint32_t count, uint32_t* first) {
    uint64_t begin = size_;
    const uint64_t chunk_left = (kChunkSize - (begin & (kChunkSize - 1))) & (kChunkSize - 1);
    if (count > chunk_left) begin += chunk_left;
    if (begin + count > kSizeMax) return false;
    if (count > chunk_left) {
      AddChunks(static_cast<uint32_t>(begin >> kChunkBits),
                static_cast<uint32_t>((uint64_t{count} + kChunkSize - 1) >> kChunkBits));
    }
    *first = static_cast<uint32_t>(begin);
    size_ = static_cast<uint32_t>(begin + count);
    return true;
  }

  // Drops unpublished elements from the end. Chunks are kept for what comes next.
  void Truncate(uint32_t size) { size_ = size; }

  uint64_t memory_bytes() const { return allocated_ * sizeof(T) + sizeof *this; }

 private:
  T* At(uint32_t index) const {
    return chunks_[index >> kChunkBits].load(std::memory_order_relaxed) +
           (index & (kChunkSize - 1));
  }

  // Gives `count` chunks from `first` on one common piece of memory, unless they follow each other
  // in one already.
  void AddChunks(uint32_t first, uint32_t count) {
    LARDER_CHECK(first + count <= kChunksMax);
    if (IsOnePiece(first, count)) return;
    pieces_.push_back(std::unique_ptr<T[]>(new T[size_t{count} * kChunkSize]));
    allocated_ += uint64_t{count} * kChunkSize;
    T* piece = pieces_.back().get();
    for (uint32_t i = 0; i < count; ++i) {
      chunks_[first + i].store(piece + size_t{i} * kChunkSize, std::memory_order_relaxed);
    }
  }

  bool IsOnePiece(uint32_t first, uint32_t count) const {
    T* const begin = chunks_[first].load(std::memory_order_relaxed);
    if (begin == nullptr) return false;
    for (uint32_t i = 1; i < count; ++i) {
      if (chunks_[first + i].load(std::memory_order_relaxed) != begin + size_t{i} * kChunkSize) {
        return false;
      }
    }
    return true;
  }

  std::atomic<T*> chunks_[kChunksMax] = {};
  std::vector<std::unique_ptr<T[]>> pieces_;
  uint64_t allocated_ = 0;
  uint32_t size_ = 0;
};

// Bytes with stable addresses. Writer only; readers follow views into it.
class ByteArena {
 public:
  // Uninitialised room. A large value gets a block of its own, so that what is left of the current
  // one is not lost.
  char* Allocate(size_t size) {
    if (size > kBlockBytes / 4) return AddBlock(size);
    if (size > left_) {
      at_ = AddBlock(kBlockBytes);
      left_ = kBlockBytes;
    }
    char* const to = at_;
    at_ += size;
    left_ -= size;
    return to;
  }

  std::string_view Copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* const to = Allocate(bytes.size());
    std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  uint64_t memory_bytes() const { return allocated_; }

 private:
  static constexpr size_t kBlockBytes = 64 << 10;

  char* AddBlock(size_t size) {
    blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
    allocated_ += size;
    return blocks_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
  uint64_t allocated_ = 0;
};

}  // namespace larder
