// The encodings of page bodies. One pair of functions each, one .cc each. Encode appends to `out`;
// Decode reads from the front of `in`, replaces its output, and returns false when the bytes are
// not what Encode writes (its output is then unspecified). Streams say their own count, so several
// may follow each other in one body. FORMAT.md specifies the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/coding.h"

namespace larder {

// No stream holds more values: what a reader allocates before it has seen the bytes is bounded.
inline constexpr uint32_t kStreamValuesMax = 1u << 26;

// The count of a stream, at most kStreamValuesMax.
[[nodiscard]] inline bool GetStreamCount(ByteReader* in, uint32_t* count) {
  return in->GetVarint32(count) && *count <= kStreamValuesMax;
}
[[nodiscard]] inline bool GetByte(ByteReader* in, uint8_t* byte) {
  std::string_view bytes;
  if (!in->GetBytes(1, &bytes)) return false;
  *byte = static_cast<uint8_t>(bytes[0]);
  return true;
}

// Numbers of any size, best when small ones are frequent: a byte of class per number (small numbers
// themselves, else the bit width and the two bits after the first), then the remaining bits as they
// are. zstd compresses the classes; the remaining bits are noise that no compressor helps. A common
// factor of 10^3, 10^6 or 10^9 (clocks that tick in us, ms, s) is divided out first.
void EncodeNumbers(std::span<const uint64_t> values, std::string* out);
[[nodiscard]] bool DecodeNumbers(ByteReader* in, std::vector<uint64_t>* values);

// Codes of a dictionary: as many byte planes as the largest code needs, lowest bytes first; one
// value that fills the whole stream is written once.
void EncodeCodes(std::span<const uint32_t> codes, std::string* out);
[[nodiscard]] bool DecodeCodes(ByteReader* in, std::vector<uint32_t>* codes);

// Fixed-point and floating payloads of 8 bytes each, as 8 byte planes.
void EncodeWords(std::span<const uint64_t> words, std::string* out);
[[nodiscard]] bool DecodeWords(ByteReader* in, std::vector<uint64_t>* words);

// Byte strings: lengths, then the bytes. Canonical lower-case UUIDs and lower-case hex of even
// length are written as the bytes they spell.
void EncodeStrings(std::span<const std::string_view> strings, std::string* out);
// String i is (*arena)[(*offsets)[i], (*offsets)[i + 1]).
[[nodiscard]] bool DecodeStrings(ByteReader* in, std::vector<uint32_t>* offsets,
                                 std::string* arena);

}  // namespace larder
