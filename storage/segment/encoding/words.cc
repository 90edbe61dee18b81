#include "storage/segment/encoding/encoding.h"

namespace larder {

// count varint | 8 planes u8 x count, lowest bytes first
void EncodeWords(std::span<const uint64_t> words, std::string* out) {
  PutVarint(out, words.size());
  const size_t start = out->size();
  out->resize(start + 8 * words.size());
  char* plane = out->data() + start;
  for (uint32_t shift = 0; shift < 64; shift += 8) {
    for (const uint64_t word : words) *plane++ = static_cast<char>(word >> shift);
  }
}

bool DecodeWords(ByteReader* in, std::vector<uint64_t>* words) {
  words->clear();
  uint32_t count = 0;
  std::string_view planes;
  if (!GetStreamCount(in, &count)) return false;
  if (!in->GetBytes(uint64_t{8} * count, &planes)) return false;
  words->assign(count, 0);
  for (uint32_t plane = 0; plane < 8; ++plane) {
    const char* bytes = planes.data() + size_t{plane} * count;
    for (size_t i = 0; i < count; ++i) {
      (*words)[i] |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * plane);
    }
  }
  return true;
}

}  // namespace larder
