#include "storage/segment/encoding/encoding.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

std::string Numbers(const std::vector<uint64_t>& values) {
  std::string out;
  EncodeNumbers(values, &out);
  return out;
}

void ExpectNumbers(const std::vector<uint64_t>& values) {
  const std::string bytes = Numbers(values);
  ByteReader in(bytes);
  std::vector<uint64_t> read = {99};
  ASSERT_TRUE(DecodeNumbers(&in, &read));
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(read, values);
}

void ExpectCodes(const std::vector<uint32_t>& codes) {
  std::string bytes;
  EncodeCodes(codes, &bytes);
  ByteReader in(bytes);
  std::vector<uint32_t> read = {99};
  ASSERT_TRUE(DecodeCodes(&in, &read));
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(read, codes);
}

void ExpectStrings(const std::vector<std::string>& strings) {
  std::string bytes;
  EncodeStrings(std::vector<std::string_view>(strings.begin(), strings.end()), &bytes);
  ByteReader in(bytes);
  std::vector<uint32_t> offsets;
  std::string arena;
  ASSERT_TRUE(DecodeStrings(&in, &offsets, &arena));
  EXPECT_TRUE(in.empty());
  ASSERT_EQ(offsets.size(), strings.size() + 1);
  for (size_t i = 0; i < strings.size(); ++i) {
    EXPECT_EQ(arena.substr(offsets[i], offsets[i + 1] - offsets[i]), strings[i]);
  }
}

TEST(NumbersTest, SmallOnesAreTheirClass) {
  EXPECT_EQ(Numbers({1, 2, 15}), std::string("\x03\x00\x01\x02\x0f", 5));
}

TEST(NumbersTest, LargerOnesAreClassAndRest) {
  // 20 = 10100: width 5, the two bits after the first are 01, two bits 00 remain.
  EXPECT_EQ(Numbers({20, 1}), std::string("\x02\x00\x11\x01\x00", 5));
  // 23 = 10111: the rest is 11.
  EXPECT_EQ(Numbers({23, 1}), std::string("\x02\x00\x11\x01\x03", 5));
}

TEST(NumbersTest, CommonUnitIsDividedOut) {
  EXPECT_EQ(Numbers({5'000, 2'000}), std::string("\x02\x01\x05\x02", 4));
  EXPECT_EQ(Numbers({7'000'000'000}), std::string("\x01\x03\x07", 3));
  ExpectNumbers({1'000, 1'001});
  ExpectNumbers({0, 0, 0});
}

TEST(NumbersTest, EveryShortSequenceOfBorderNumbers) {
  std::vector<uint64_t> borders = {0, 1, UINT64_MAX, UINT64_MAX - 1, 1'000, 999'999'999'000};
  for (uint32_t bit = 2; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    borders.insert(borders.end(), {power - 1, power, power + 1, power | (power >> 1)});
  }
  ExpectNumbers({});
  for (const uint64_t a : borders) {
    ExpectNumbers({a});
    for (const uint64_t b : borders) ExpectNumbers({a, b, a});
  }
}

TEST(NumbersTest, RandomOnes) {
  Random random(TestSeed());
  for (int round = 0; round < 300; ++round) {
    std::vector<uint64_t> values(random.Below(200));
    const uint64_t shift = random.Below(64);
    for (uint64_t& value : values)
      value = random.Next() >> std::min<uint64_t>(63, shift + random.Below(8));
    ExpectNumbers(values);
  }
}

TEST(CodesTest, OneCodeIsWrittenOnce) {
  std::string bytes;
  EncodeCodes(std::vector<uint32_t>(1000, 300), &bytes);
  EXPECT_EQ(bytes, std::string("\xe8\x07\x00\xac\x02", 5));
}

TEST(CodesTest, PlanesByWidth) {
  std::string bytes;
  EncodeCodes(std::vector<uint32_t>{1, 0x203}, &bytes);
  EXPECT_EQ(bytes, std::string("\x02\x02\x01\x03\x00\x02", 6));
}

TEST(CodesTest, EveryShortSequenceOfBorderCodes) {
  const std::vector<uint32_t> borders = {0,     1,        255,      256,       65535,
                                         65536, 16777215, 16777216, UINT32_MAX};
  ExpectCodes({});
  for (const uint32_t a : borders) {
    ExpectCodes({a});
    for (const uint32_t b : borders) {
      for (const uint32_t c : borders) ExpectCodes({a, b, c});
    }
  }
}

TEST(WordsTest, RoundTrip) {
  Random random(TestSeed());
  for (size_t count = 0; count < 50; ++count) {
    std::vector<uint64_t> words(count);
    for (uint64_t& word : words) word = random.Next();
    std::string bytes;
    EncodeWords(words, &bytes);
    ByteReader in(bytes);
    std::vector<uint64_t> read;
    ASSERT_TRUE(DecodeWords(&in, &read));
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(read, words);
  }
}

TEST(StringsTest, UuidsAndHexAreWrittenAsBytes) {
  std::string bytes;
  EncodeStrings(std::vector<std::string_view>{"00112233-4455-6677-8899-aabbccddeeff"}, &bytes);
  EXPECT_EQ(bytes.size(), 3 + 3 + 16u + 1);
  bytes.clear();
  EncodeStrings(std::vector<std::string_view>{"deadbeef"}, &bytes);
  EXPECT_EQ(bytes, std::string("\x01\x00\x01\x01\x00\x04\xde\xad\xbe\xef", 10));
}

TEST(StringsTest, WhatIsNearlyAUuidStaysAsItIs) {
  const std::string uuid = "00112233-4455-6677-8899-aabbccddeeff";
  std::vector<std::string> strings = {uuid,       "",        "a",        "abcdefgh",
                                      "DEADBEEF", "deadbee", "deadbeef0"};
  for (size_t i = 0; i < uuid.size(); ++i) {
    for (const char c : {'-', 'A', 'g', '0', '\0', '\xff'}) {
      std::string changed = uuid;
      changed[i] = c;
      strings.push_back(changed);
      ExpectStrings({changed});
    }
  }
  ExpectStrings(strings);
}

TEST(StringsTest, EveryShortStringOfAFewBytes) {
  std::vector<std::string> strings = {""};
  const std::string_view letters("a0-\0g", 5);
  for (size_t first = 0; strings.size() < 800; ++first) {
    for (const char c : letters) strings.push_back(strings[first] + c);
  }
  ExpectStrings(strings);
  ExpectStrings({});
}

// Whatever the bytes are, a decoder answers; what it accepts stays within the input.
TEST(EncodingTest, HostileBytesAreRefusedOrRead) {
  Random random(TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(random.OneIn(3) ? random.Below(4) : random.Next());
    std::vector<uint64_t> numbers;
    std::vector<uint32_t> codes;
    std::string arena;
    ByteReader a(bytes);
    ByteReader b(bytes);
    if (DecodeNumbers(&a, &numbers)) {
      EXPECT_LE(numbers.size(), bytes.size());
    }
    if (DecodeWords(&b, &numbers)) {
      EXPECT_LE(numbers.size(), bytes.size());
    }
    ByteReader c(bytes);
    if (DecodeStrings(&c, &codes, &arena)) {
      EXPECT_EQ(codes.back(), arena.size());
    }
  }
}

TEST(EncodingTest, EveryTruncationIsRefused) {
  std::string numbers;
  EncodeNumbers(std::vector<uint64_t>{1, 1'000'000, 77}, &numbers);
  std::string strings;
  EncodeStrings(std::vector<std::string_view>{"abc", "deadbeef"}, &strings);
  for (size_t size = 0; size < numbers.size(); ++size) {
    ByteReader in(std::string_view(numbers).substr(0, size));
    std::vector<uint64_t> read;
    EXPECT_FALSE(DecodeNumbers(&in, &read));
  }
  for (size_t size = 0; size < strings.size(); ++size) {
    ByteReader in(std::string_view(strings).substr(0, size));
    std::vector<uint32_t> offsets;
    std::string arena;
    EXPECT_FALSE(DecodeStrings(&in, &offsets, &arena));
  }
}

}  // namespace
}  // namespace larder
