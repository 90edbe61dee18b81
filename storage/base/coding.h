// Numbers to bytes and back: little-endian fixed width, and varints as protobuf has them (7 bits a
// byte, low bits first, the top bit says "more"). Every read checks its bound.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace larder {

static_assert(std::endian::native == std::endian::little, "formats are little-endian, unswapped");

inline constexpr size_t kVarintBytesMax = 10;

// The caller has checked that the bytes are there.
inline uint32_t LoadFixed32(const char* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline uint64_t LoadFixed64(const char* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline void StoreFixed32(char* to, uint32_t value) { std::memcpy(to, &value, sizeof value); }
inline void StoreFixed64(char* to, uint64_t value) { std::memcpy(to, &value, sizeof value); }

// Append to `to`.
void PutFixed32(std::string* to, uint32_t value);
void PutFixed64(std::string* to, uint64_t value);
void PutVarint(std::string* to, uint64_t value);
// A varint with the length, then the bytes.
void PutLengthPrefixed(std::string* to, std::string_view bytes);

// Small magnitudes of either sign become small numbers: 0, -1, 1, -2 are 0, 1, 2, 3.
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// Takes values off the front of bytes that it borrows. A read that does not fit (or a varint longer
// than 64 bits) returns false and moves nothing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  bool GetFixed32(uint32_t* value);
  bool GetFixed64(uint64_t* value);
  bool GetVarint(uint64_t* value);
  // Also refuses values above 32 bits.
  bool GetVarint32(uint32_t* value);
  // The view lives as long as the bytes that are read.
  bool GetBytes(size_t size, std::string_view* bytes);
  bool GetLengthPrefixed(std::string_view* bytes);
  bool Skip(size_t size);

  bool empty() const { return left_.empty(); }
  size_t remaining_bytes() const { return left_.size(); }
  std::string_view remaining() const { return left_; }

 private:
  std::string_view left_;
};

}  // namespace larder
