#include "storage/segment/page/page.h"

#include <gtest/gtest.h>

#include "storage/segment/page/made_pages.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_writer.h"
#include "tests/support/map_page_store.h"

namespace larder {
namespace {

constexpr PageKey kKey{Section::kFixed, 3, 17};

std::string WriteOne(PageKey key, std::string_view body) {
  PageWriter writer(1);
  writer.Add(key, body);
  MapPageStore store;
  EXPECT_TRUE(writer.Flush(&store).ok());
  EXPECT_EQ(writer.size_bytes(), store.pages().at(key).size());
  return store.pages().at(key);
}

TEST(PageTest, BodiesComeBack) {
  for (const std::string& body : {std::string(), std::string("a"), std::string(100'000, 'x')}) {
    const std::string page = WriteOne(kKey, body);
    std::string read;
    ASSERT_TRUE(DecodePage(kKey, page, &read).ok());
    EXPECT_EQ(read, body);
  }
  EXPECT_LT(WriteOne(kKey, std::string(100'000, 'x')).size(), 100u);
}

TEST(PageTest, EveryFlippedBitIsFoundAndNamed) {
  const std::string page = WriteOne(kKey, "some body, and some body, and some body, and some body");
  for (size_t bit = 0; bit < page.size() * 8; ++bit) {
    std::string broken = page;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    std::string body;
    const Status status = DecodePage(kKey, broken, &body);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_NE(status.message().find("fixed/3/17"), std::string_view::npos) << status.ToString();
  }
}

TEST(PageTest, EveryTruncationIsFound) {
  const std::string page = WriteOne(kKey, "some body");
  std::string body;
  for (size_t size = 0; size < page.size(); ++size) {
    EXPECT_EQ(DecodePage(kKey, page.substr(0, size), &body).code(), StatusCode::kDataLoss);
  }
}

TEST(PageTest, AnotherPagesBytesAreRefused) {
  const std::string page = WriteOne(kKey, "some body");
  std::string body;
  EXPECT_EQ(DecodePage({Section::kFixed, 3, 16}, page, &body).code(), StatusCode::kDataLoss);
}

TEST(PageWriterTest, PutsInKeyOrder) {
  PageWriter writer(1);
  writer.Add({Section::kEdges, 0, 0}, "z");
  writer.Add({Section::kFixed, 0, 1}, "y");
  writer.Add({Section::kHeader, 0, 0}, "x");
  MapPageStore store;  // checks the order
  EXPECT_TRUE(writer.Flush(&store).ok());
  EXPECT_EQ(store.pages().size(), 3u);
}

class SizedPage : public CachedPage {
 public:
  explicit SizedPage(uint64_t bytes) : bytes_(bytes) {}
  uint64_t memory_bytes() const override { return bytes_; }

 private:
  uint64_t bytes_;
};

PageCache::Loader LoadsSized(uint64_t bytes) {
  return [bytes]() -> Result<std::shared_ptr<const CachedPage>> {
    return std::shared_ptr<const CachedPage>(std::make_shared<SizedPage>(bytes));
  };
}

TEST(PageCacheTest, KeepsWithinItsCapacity) {
  PageCache cache(1 << 20);
  for (uint32_t page = 0; page < 1000; ++page) {
    ASSERT_TRUE(cache.Get(1, {Section::kFixed, 0, page}, LoadsSized(10'000)).ok());
    EXPECT_LE(cache.memory_bytes(), 1u << 20);
  }
  EXPECT_GT(cache.memory_bytes(), 1u << 19);
  cache.set_capacity_bytes(1 << 18);
  EXPECT_LE(cache.memory_bytes(), 1u << 18);
  cache.Erase(1);
  EXPECT_EQ(cache.memory_bytes(), 0u);
}

TEST(PageCacheTest, HitsGiveTheSamePageAndFailuresAreNotKept) {
  PageCache cache(1 << 20);
  const auto first = cache.Get(1, kKey, LoadsSized(10));
  const auto second = cache.Get(1, kKey, LoadsSized(10));
  EXPECT_EQ(first->get(), second->get());
  EXPECT_NE(cache.Get(2, kKey, LoadsSized(10))->get(), first->get());
  EXPECT_EQ(cache.hits(), 1u);
  EXPECT_EQ(cache.misses(), 2u);
  const PageKey other{Section::kFixed, 0, 0};
  const auto fails = []() -> Result<std::shared_ptr<const CachedPage>> {
    return Status::DataLoss("broken");
  };
  EXPECT_FALSE(cache.Get(1, other, fails).ok());
  EXPECT_TRUE(cache.Get(1, other, LoadsSized(10)).ok());
}

// What took a pass over a column stays when pages push each other out, and not more of it than a
// quarter.
TEST(PageCacheTest, WhatLastsIsKeptWithinItsShare) {
  PageCache cache(1 << 20);
  const PageKey slice{kMadeKeySlice, 0, 0};
  const auto made = cache.Get(1, slice, LoadsSized(1000));
  for (uint32_t page = 0; page < 1000; ++page) {
    ASSERT_TRUE(cache.Get(1, {Section::kFixed, 0, page}, LoadsSized(10'000)).ok());
  }
  EXPECT_EQ(cache.Get(1, slice, LoadsSized(1000))->get(), made->get());
  for (uint32_t page = 1; page < 1000; ++page) {
    ASSERT_TRUE(cache.Get(1, {kMadeKeySlice, 0, page}, LoadsSized(10'000)).ok());
    ASSERT_TRUE(cache.Get(1, {Section::kFixed, 0, page}, LoadsSized(10'000)).ok());
    EXPECT_LE(cache.memory_bytes(), 1u << 20);
  }
  const uint64_t hits = cache.hits();
  for (uint32_t page = 0; page < 1000; ++page) {
    ASSERT_TRUE(cache.Get(1, {kMadeKeySlice, 0, page}, LoadsSized(10'000)).ok());
  }
  EXPECT_LE((cache.hits() - hits) * 10'000, 1u << 19);
  cache.Erase(1);
  EXPECT_EQ(cache.memory_bytes(), 0u);
}

TEST(PageCacheTest, APageLargerThanItsShareIsHandedOutUncached) {
  PageCache cache(1 << 20);
  EXPECT_TRUE(cache.Get(1, kKey, LoadsSized(1 << 21)).ok());
  EXPECT_EQ(cache.memory_bytes(), 0u);
}

}  // namespace
}  // namespace larder
