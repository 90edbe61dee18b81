#include <algorithm>
#include <array>
#include <bit>

#include "storage/segment/encoding/encoding.h"

namespace larder {
namespace {

// The factors that may be divided out; a stream names one by its index.
constexpr std::array<uint64_t, 4> kUnits = {1, 1'000, 1'000'000, 1'000'000'000};

// Numbers below kSmall are classes of their own. A larger one of width w (5 to 64 bits) has one of
// four classes, by the two bits after its first; w - 3 bits remain.
constexpr uint32_t kSmall = 16;
constexpr uint32_t kWidthMin = 5;

struct Split {
  uint8_t number_class;
  uint32_t rest_bits;
};

Split SplitOf(uint64_t value) {
  if (value < kSmall) return {static_cast<uint8_t>(value), 0};
  const uint32_t width = static_cast<uint32_t>(std::bit_width(value));
  const uint32_t rest_bits = width - 3;
  const uint32_t top = static_cast<uint32_t>(value >> rest_bits) & 3;
  return {static_cast<uint8_t>(kSmall + (width - kWidthMin) * 4 + top), rest_bits};
}

// What a class stands for: the number less its rest bits, and how many those are.
struct ClassMeaning {
  uint64_t number = 0;
  uint32_t rest_bits = 0;
};

constexpr std::array<ClassMeaning, 256> kMeanings = [] {
  std::array<ClassMeaning, 256> meanings{};
  for (uint32_t i = 0; i < 256; ++i) {
    if (i < kSmall) {
      meanings[i] = {i, 0};
    } else {
      const uint32_t rest_bits = (i - kSmall) / 4 + kWidthMin - 3;
      meanings[i] = {uint64_t{4 | ((i - kSmall) & 3)} << rest_bits, rest_bits};
    }
  }
  return meanings;
}();

uint8_t UnitOf(std::span<const uint64_t> values) {
  uint8_t unit = 3;
  for (const uint64_t value : values) {
    while (value % kUnits[unit] != 0) --unit;
    if (unit == 0) break;
  }
  return unit;
}

// Bits are packed from the lowest bit of the lowest byte up.
class BitWriter {
 public:
  // The bytes for `bit_count_max` bits and what a last store writes beyond them.
  explicit BitWriter(size_t bit_count_max) : bytes_(bit_count_max / 8 + 16, '\0') {}

  void Put(uint64_t bits, uint32_t count) {
    if (count > 32) {
      PutShort(bits & 0xffffffff, 32);
      PutShort(bits >> 32, count - 32);
    } else {
      PutShort(bits, count);
    }
  }
  // All bytes, the last one filled up with zeroes.
  std::string_view Finish() {
    StoreFixed32(bytes_.data() + size_, static_cast<uint32_t>(word_));
    return std::string_view(bytes_).substr(0, size_ + (used_ + 7) / 8);
  }

 private:
  // REQUIRES: count <= 32, no bits above `count`. At most 31 bits wait, so 64 hold both.
  void PutShort(uint64_t bits, uint32_t count) {
    word_ |= bits << used_;
    used_ += count;
    if (used_ >= 32) {
      StoreFixed32(bytes_.data() + size_, static_cast<uint32_t>(word_));
      size_ += 4;
      word_ >>= 32;
      used_ -= 32;
    }
  }

  std::string bytes_;
  size_t size_ = 0;
  uint64_t word_ = 0;
  uint32_t used_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  // REQUIRES: the bytes hold that many bits more.
  uint64_t Get(uint32_t count) {
    if (count == 0) return 0;
    const size_t byte = position_ / 8;
    const uint32_t shift = position_ % 8;
    position_ += count;
    uint64_t bits = Word(byte) >> shift;
    if (shift + count > 64) bits |= Word(byte + 8) << (64 - shift);
    return bits & (UINT64_MAX >> (64 - count));
  }

 private:
  uint64_t Word(size_t byte) const {
    if (byte + 8 <= bytes_.size()) return LoadFixed64(bytes_.data() + byte);
    uint64_t word = 0;
    if (byte < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    }
    return word;
  }

  std::string_view bytes_;
  size_t position_ = 0;
};

}  // namespace

// count varint | unit u8 | classes u8 x count | rest bits, padded to a byte
void EncodeNumbers(std::span<const uint64_t> values, std::string* out) {
  PutVarint(out, values.size());
  if (values.empty()) return;
  const uint8_t unit = UnitOf(values);
  out->push_back(static_cast<char>(unit));
  const uint64_t divisor = kUnits[unit];
  const size_t start = out->size();
  out->resize(start + values.size());
  char* next_class = out->data() + start;
  BitWriter bits(values.size() * 61);
  for (const uint64_t value : values) {
    const uint64_t scaled = divisor == 1 ? value : value / divisor;
    const Split split = SplitOf(scaled);
    *next_class++ = static_cast<char>(split.number_class);
    bits.Put(scaled & ((uint64_t{1} << split.rest_bits) - 1), split.rest_bits);
  }
  out->append(bits.Finish());
}

bool DecodeNumbers(ByteReader* in, std::vector<uint64_t>* values) {
  uint32_t count = 0;
  values->clear();
  if (!GetStreamCount(in, &count)) return false;
  if (count == 0) return true;
  uint8_t unit = 0;
  std::string_view classes;
  if (!GetByte(in, &unit) || unit >= kUnits.size() || !in->GetBytes(count, &classes)) return false;
  uint64_t bit_count = 0;
  for (const char c : classes) bit_count += kMeanings[static_cast<uint8_t>(c)].rest_bits;
  std::string_view rests;
  if (!in->GetBytes((bit_count + 7) / 8, &rests)) return false;
  BitReader bits(rests);
  values->resize(count);
  const uint64_t factor = kUnits[unit];
  for (size_t i = 0; i < count; ++i) {
    const ClassMeaning& meaning = kMeanings[static_cast<uint8_t>(classes[i])];
    (*values)[i] = (meaning.number | bits.Get(meaning.rest_bits)) * factor;
  }
  return true;
}

}  // namespace larder
