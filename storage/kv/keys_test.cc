#include "storage/kv/keys.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/hex_examples.h"

namespace larder {
namespace {

TEST(Keys, ThePageTellsTheTruth) {
  const std::string example =
      HexExamples(std::string(LARDER_SOURCE_DIR) + "/storage/kv/KEYS.md").at(0);
  ShelfKey key;
  ASSERT_TRUE(DecodeShelfKey(example, &key));
  const ShelfKey expected{.tenant = 0, .segment_id = 42, .section = 6, .column = 3, .page = 17};
  EXPECT_EQ(key, expected);
  EXPECT_EQ(EncodeShelfKey(expected), example);
}

TEST(Keys, BytesSortAsTheNumbersDo) {
  std::mt19937_64 random(7);
  const auto pick = [&random]() -> uint64_t {
    const uint64_t choices[] = {0, 1, 255, 256, 0xffffffff, random()};
    return choices[random() % 6];
  };
  const auto key = [&pick] {
    return ShelfKey{.tenant = static_cast<TenantId>(pick()),
                    .segment_id = pick(),
                    .section = static_cast<uint8_t>(pick()),
                    .column = static_cast<uint32_t>(pick()),
                    .page = static_cast<uint32_t>(pick())};
  };
  for (int i = 0; i < 20'000; ++i) {
    const ShelfKey a = key();
    const ShelfKey b = key();
    EXPECT_EQ(a < b, EncodeShelfKey(a) < EncodeShelfKey(b));
    ShelfKey back;
    ASSERT_TRUE(DecodeShelfKey(EncodeShelfKey(a), &back));
    EXPECT_EQ(back, a);
  }
}

TEST(Keys, RefusesOtherLengths) {
  ShelfKey key;
  for (size_t size = 0; size < 64; ++size) {
    EXPECT_EQ(DecodeShelfKey(std::string(size, 'x'), &key), size == kShelfKeyBytes);
  }
}

TEST(Keys, PrefixEndIsAfterEverythingWithThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd(std::string("a\xff", 2)), "b");
  EXPECT_EQ(PrefixEnd(std::string("\xff\xff", 2)), "");
  EXPECT_LT(
      EncodeShelfKey({.tenant = 1, .segment_id = 2, .section = 255, .column = ~0u, .page = ~0u}),
      PrefixEnd(SegmentPrefix(1, 2)));
  EXPECT_LE(PrefixEnd(SegmentPrefix(1, 2)), SegmentPrefix(1, 3));
}

}  // namespace
}  // namespace larder
