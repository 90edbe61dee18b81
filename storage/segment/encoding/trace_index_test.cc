#include "storage/segment/encoding/trace_index.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

std::vector<uint32_t> Find(const std::vector<std::string>& chunks, uint64_t hash) {
  TraceIndexChunk chunk;
  EXPECT_TRUE(chunk.Decode(chunks[TraceIndexChunkOf(hash, static_cast<uint32_t>(chunks.size()))]));
  std::vector<uint32_t> places;
  chunk.Find(hash, &places);
  return places;
}

bool Has(const std::vector<uint32_t>& places, uint32_t place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

TEST(TraceIndexTest, EmptyIndexKnowsNothing) {
  const std::vector<std::string> chunks = EncodeTraceIndex({});
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_TRUE(Find(chunks, 0).empty());
  EXPECT_TRUE(Find(chunks, UINT64_MAX).empty());
}

TEST(TraceIndexTest, BordersOfTheHashRange) {
  const std::vector<std::string> chunks =
      EncodeTraceIndex({{UINT64_MAX, 1}, {0, 2}, {uint64_t{1} << 63, 3}});
  EXPECT_TRUE(Has(Find(chunks, UINT64_MAX), 1));
  EXPECT_TRUE(Has(Find(chunks, 0), 2));
  EXPECT_TRUE(Has(Find(chunks, uint64_t{1} << 63), 3));
}

TEST(TraceIndexTest, OneHashMayHaveSeveralPlaces) {
  const std::vector<std::string> chunks = EncodeTraceIndex({{7, 5}, {7, 3}, {9, 1}});
  // 7 and 9 are one kept hash: whoever asks looks at all places.
  EXPECT_EQ(Find(chunks, 7), (std::vector<uint32_t>{5, 3, 1}));
}

// Every set of three hashes from a few that lie close, and their places.
TEST(TraceIndexTest, EveryTinyIndex) {
  std::vector<uint64_t> hashes = {0, 1, uint64_t{1} << 53, uint64_t{1} << 54, UINT64_MAX};
  for (const uint64_t a : hashes) {
    for (const uint64_t b : hashes) {
      for (const uint64_t c : hashes) {
        const auto chunks = EncodeTraceIndex({{a, 1}, {b, 2}, {c, 3}});
        EXPECT_TRUE(Has(Find(chunks, a), 1));
        EXPECT_TRUE(Has(Find(chunks, b), 2));
        EXPECT_TRUE(Has(Find(chunks, c), 3));
      }
    }
  }
}

TEST(TraceIndexTest, NothingIsMissedAndLittleIsWrong) {
  Random random(TestSeed());
  std::vector<TraceIndexEntry> entries;
  for (uint32_t i = 0; i < 50'000; ++i) entries.push_back({random.Next(), i / 5});
  const std::vector<std::string> chunks = EncodeTraceIndex(entries);
  EXPECT_GT(chunks.size(), 20u);
  size_t bytes = 0;
  for (const std::string& chunk : chunks) {
    EXPECT_LT(chunk.size(), 12'000u);
    bytes += chunk.size();
  }
  EXPECT_LT(bytes, entries.size() * 5);
  std::vector<TraceIndexChunk> decoded(chunks.size());
  for (size_t i = 0; i < chunks.size(); ++i) ASSERT_TRUE(decoded[i].Decode(chunks[i]));
  const auto find = [&](uint64_t hash) {
    std::vector<uint32_t> places;
    decoded[TraceIndexChunkOf(hash, static_cast<uint32_t>(chunks.size()))].Find(hash, &places);
    return places;
  };
  for (const TraceIndexEntry& entry : entries) ASSERT_TRUE(Has(find(entry.hash), entry.place));
  size_t wrong = 0;
  for (int i = 0; i < 50'000; ++i) wrong += find(random.Next()).empty() ? 0u : 1u;
  // 1 in 256 is 195 expected.
  EXPECT_LT(wrong, 400u);
}

TEST(TraceIndexTest, BrokenChunksAreRefused) {
  const std::string chunk = EncodeTraceIndex({{1, 1}, {uint64_t{1} << 60, 2}})[0];
  TraceIndexChunk decoded;
  for (size_t size = 0; size < chunk.size(); ++size) {
    EXPECT_FALSE(decoded.Decode(std::string_view(chunk).substr(0, size)));
  }
  EXPECT_FALSE(decoded.Decode(chunk + "x"));
}

}  // namespace
}  // namespace larder
