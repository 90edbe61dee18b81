#include "storage/segment/source/block_set.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

void ExpectRoundTrip(const BlockSet& set) {
  std::string bytes;
  PutBlockSet(&bytes, set);
  ByteReader reader(bytes);
  BlockSet read(set.block_count());
  ASSERT_TRUE(AddBlockSet(&reader, &read));
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(read, set);
  ByteReader skipper(bytes);
  ASSERT_TRUE(SkipBlockSet(&skipper, set.block_count()));
  EXPECT_TRUE(skipper.empty());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ByteReader cut(std::string_view(bytes).substr(0, size));
    BlockSet ignored(set.block_count());
    EXPECT_FALSE(AddBlockSet(&cut, &ignored));
  }
}

TEST(BlockSet, EverySetOfUpToTenBlocksSurvives) {
  for (uint32_t block_count = 1; block_count <= 10; ++block_count) {
    for (uint32_t bits = 0; bits < 1u << block_count; ++bits) {
      BlockSet set(block_count);
      for (uint32_t block = 0; block < block_count; ++block) {
        if ((bits >> block & 1) != 0) set.Add(block);
      }
      ExpectRoundTrip(set);
    }
  }
}

TEST(BlockSet, RandomSetsSurvive) {
  Random random(TestSeed());
  for (int round = 0; round < 500; ++round) {
    const auto block_count = static_cast<uint32_t>(random.Between(1, 700));
    const uint64_t one_in = random.Between(1, 40);
    BlockSet set(block_count);
    for (uint32_t block = 0; block < block_count; ++block) {
      if (random.OneIn(one_in)) set.Add(block);
    }
    if (random.OneIn(2)) set.Complement();
    if (random.OneIn(2)) {
      const auto first = static_cast<uint32_t>(random.Below(block_count));
      set.AddRange(first, static_cast<uint32_t>(random.Between(first, block_count)));
    }
    ExpectRoundTrip(set);
  }
}

TEST(BlockSet, NeverLargerThanItsBits) {
  Random random(TestSeed());
  for (int round = 0; round < 100; ++round) {
    BlockSet set(245);
    for (uint32_t block = 0; block < 245; ++block) {
      if (random.OneIn(2)) set.Add(block);
    }
    std::string bytes;
    PutBlockSet(&bytes, set);
    EXPECT_LE(bytes.size(), 32u);
  }
}

TEST(BlockSet, RefusesBlocksThatAreNotThere) {
  BlockSet set(8);
  set.Add(7);
  std::string bytes;
  PutBlockSet(&bytes, set);
  BlockSet smaller(7);
  ByteReader reader(bytes);
  EXPECT_FALSE(AddBlockSet(&reader, &smaller));
}

TEST(BlockSet, Algebra) {
  BlockSet a(130);
  BlockSet b(130);
  a.AddRange(0, 70);
  b.AddRange(64, 130);
  BlockSet both = a;
  both.IntersectWith(b);
  EXPECT_EQ(both.count(), 6u);
  BlockSet either = a;
  either.UnionWith(b);
  EXPECT_TRUE(either.is_full());
  either.Subtract(a);
  a.Complement();
  EXPECT_EQ(either, a);
}

}  // namespace
}  // namespace larder
