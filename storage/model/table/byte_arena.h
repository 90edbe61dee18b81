// Bytes with stable addresses, given back all at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace larder {

// Writer only; readers follow views into it. Blocks grow from 1 KiB to 64 KiB with what it holds.
class ByteArena {
 public:
  // Uninitialised room. A large value gets a block of its own, so that what is left of the current
  // one is not lost.
  char* Allocate(size_t size) {
    if (size > left_) {
      const size_t block = std::clamp<size_t>(allocated_, kFirstBlockBytes, kBlockBytesMax);
      if (size > block / 4) return AddBlock(size);
      at_ = AddBlock(block);
      left_ = block;
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
  static constexpr size_t kFirstBlockBytes = 1 << 10;
  static constexpr size_t kBlockBytesMax = 64 << 10;

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
