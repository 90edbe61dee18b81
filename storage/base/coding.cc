#include "storage/base/coding.h"

namespace larder {

void PutFixed32(std::string* to, uint32_t value) {
  char bytes[sizeof value];
  StoreFixed32(bytes, value);
  to->append(bytes, sizeof bytes);
}

void PutFixed64(std::string* to, uint64_t value) {
  char bytes[sizeof value];
  StoreFixed64(bytes, value);
  to->append(bytes, sizeof bytes);
}

void PutVarint(std::string* to, uint64_t value) {
  char bytes[kVarintBytesMax];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  to->append(bytes, size);
}

void PutLengthPrefixed(std::string* to, std::string_view bytes) {
  PutVarint(to, bytes.size());
  to->append(bytes);
}

bool ByteReader::GetFixed32(uint32_t* value) {
  if (left_.size() < sizeof *value) return false;
  *value = LoadFixed32(left_.data());
  left_.remove_prefix(sizeof *value);
  return true;
}

bool ByteReader::GetFixed64(uint64_t* value) {
  if (left_.size() < sizeof *value) return false;
  *value = LoadFixed64(left_.data());
  left_.remove_prefix(sizeof *value);
  return true;
}

bool ByteReader::GetVarint(uint64_t* value) {
  uint64_t sum = 0;
  for (size_t i = 0; i < left_.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<uint8_t>(left_[i]);
    if (i == kVarintBytesMax - 1 && byte > 1) return false;  // beyond bit 63
    sum |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = sum;
      left_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool ByteReader::GetVarint32(uint32_t* value) {
  ByteReader ahead = *this;
  uint64_t wide = 0;
  if (!ahead.GetVarint(&wide) || wide > UINT32_MAX) return false;
  *value = static_cast<uint32_t>(wide);
  *this = ahead;
  return true;
}

bool ByteReader::GetBytes(size_t size, std::string_view* bytes) {
  if (left_.size() < size) return false;
  *bytes = left_.substr(0, size);
  left_.remove_prefix(size);
  return true;
}

bool ByteReader::GetLengthPrefixed(std::string_view* bytes) {
  ByteReader ahead = *this;
  uint64_t size = 0;
  if (!ahead.GetVarint(&size) || !ahead.GetBytes(size, bytes)) return false;
  *this = ahead;
  return true;
}

bool ByteReader::Skip(size_t size) {
  std::string_view skipped;
  return GetBytes(size, &skipped);
}

}  // namespace larder
