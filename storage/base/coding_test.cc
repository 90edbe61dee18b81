#include "storage/base/coding.h"

#include <vector>

#include <gtest/gtest.h>

namespace larder {
namespace {

// Around every power of two: where the lengths change.
std::vector<uint64_t> Corners() {
  std::vector<uint64_t> values = {0, UINT64_MAX};
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1});
  }
  return values;
}

TEST(Coding, FixedIsLittleEndian) {
  std::string bytes;
  PutFixed32(&bytes, 0x04030201);
  PutFixed64(&bytes, 0x0c0b0a0908070605);
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c");
  ByteReader reader(bytes);
  uint32_t narrow = 0;
  uint64_t wide = 0;
  EXPECT_TRUE(reader.GetFixed32(&narrow));
  EXPECT_TRUE(reader.GetFixed64(&wide));
  EXPECT_EQ(narrow, 0x04030201u);
  EXPECT_EQ(wide, 0x0c0b0a0908070605u);
  EXPECT_TRUE(reader.empty());
}

TEST(Coding, VarintIsProtobufs) {
  std::string bytes;
  PutVarint(&bytes, 300);
  EXPECT_EQ(bytes, "\xac\x02");
}

TEST(Coding, VarintsComeBackAndNoPrefixDoes) {
  for (const uint64_t value : Corners()) {
    std::string bytes;
    PutVarint(&bytes, value);
    ByteReader reader(bytes);
    uint64_t back = 0;
    ASSERT_TRUE(reader.GetVarint(&back)) << value;
    EXPECT_EQ(back, value);
    EXPECT_TRUE(reader.empty());
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      ByteReader short_reader(std::string_view(bytes).substr(0, cut));
      EXPECT_FALSE(short_reader.GetVarint(&back));
      EXPECT_EQ(short_reader.remaining_bytes(), cut);
    }
  }
}

TEST(Coding, VarintBeyond64BitsIsRefused) {
  uint64_t value = 7;
  ByteReader eleven(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
  EXPECT_FALSE(eleven.GetVarint(&value));
  ByteReader bit64(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  EXPECT_FALSE(bit64.GetVarint(&value));
  EXPECT_EQ(value, 7u);
}

TEST(Coding, Varint32RefusesMore) {
  std::string bytes;
  PutVarint(&bytes, uint64_t{UINT32_MAX} + 1);
  ByteReader reader(bytes);
  uint32_t value = 0;
  EXPECT_FALSE(reader.GetVarint32(&value));
  EXPECT_EQ(reader.remaining_bytes(), bytes.size());
}

TEST(Coding, ZigZag) {
  EXPECT_EQ(ZigZag(0), 0u);
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
  for (const uint64_t value : Corners()) {
    EXPECT_EQ(UnZigZag(ZigZag(static_cast<int64_t>(value))), static_cast<int64_t>(value));
  }
}

TEST(Coding, LengthPrefixedNeedsAllItsBytes) {
  std::string bytes;
  PutLengthPrefixed(&bytes, "abc");
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    ByteReader reader(std::string_view(bytes).substr(0, cut));
    std::string_view got;
    EXPECT_FALSE(reader.GetLengthPrefixed(&got)) << cut;
    EXPECT_EQ(reader.remaining_bytes(), cut);
  }
  ByteReader reader(bytes);
  std::string_view got;
  EXPECT_TRUE(reader.GetLengthPrefixed(&got));
  EXPECT_EQ(got, "abc");
}

TEST(Coding, LengthOfAlmostAllMemoryIsRefused) {
  std::string bytes;
  PutVarint(&bytes, UINT64_MAX);
  ByteReader reader(bytes);
  std::string_view got;
  EXPECT_FALSE(reader.GetLengthPrefixed(&got));
  EXPECT_FALSE(reader.Skip(SIZE_MAX));
}

}  // namespace
}  // namespace larder
