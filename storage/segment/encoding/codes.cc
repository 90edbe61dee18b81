#include <algorithm>

#include "storage/segment/encoding/encoding.h"

namespace larder {

// count varint | width u8: 0 to 4 | width 0: the one code, varint; else width planes u8 x count
void EncodeCodes(std::span<const uint32_t> codes, std::string* out) {
  PutVarint(out, codes.size());
  if (codes.empty()) return;
  const auto [low, high] = std::minmax_element(codes.begin(), codes.end());
  if (*low == *high) {
    out->push_back(0);
    PutVarint(out, *low);
    return;
  }
  uint32_t width = 1;
  while (width < 4 && (*high >> (8 * width)) != 0) ++width;
  out->push_back(static_cast<char>(width));
  const size_t start = out->size();
  out->resize(start + size_t{width} * codes.size());
  char* plane = out->data() + start;
  for (uint32_t shift = 0; shift < 8 * width; shift += 8) {
    for (const uint32_t code : codes) *plane++ = static_cast<char>(code >> shift);
  }
}

bool DecodeCodes(ByteReader* in, std::vector<uint32_t>* codes) {
  codes->clear();
  uint32_t count = 0;
  if (!GetStreamCount(in, &count)) return false;
  if (count == 0) return true;
  uint8_t width = 0;
  if (!GetByte(in, &width) || width > 4) return false;
  if (width == 0) {
    uint32_t code = 0;
    if (!in->GetVarint32(&code)) return false;
    codes->assign(count, code);
    return true;
  }
  std::string_view planes;
  if (!in->GetBytes(uint64_t{width} * count, &planes)) return false;
  codes->resize(count);
  for (uint32_t plane = 0; plane < width; ++plane) {
    const char* bytes = planes.data() + size_t{plane} * count;
    const uint32_t shift = 8 * plane;
    uint32_t* code = codes->data();
    if (plane == 0) {
      for (size_t i = 0; i < count; ++i) code[i] = static_cast<uint8_t>(bytes[i]);
    } else {
      for (size_t i = 0; i < count; ++i)
        code[i] |= uint32_t{static_cast<uint8_t>(bytes[i])} << shift;
    }
  }
  return true;
}

}  // namespace larder
