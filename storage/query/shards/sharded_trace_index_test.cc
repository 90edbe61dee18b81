#include "storage/query/shards/sharded_trace_index.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "storage/segment/page/page_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

TEST(TraceShards, AsManyAsTheCountNeeds) {
  EXPECT_EQ(ShardBitsFor(0, 100, 12), 0u);
  EXPECT_EQ(ShardBitsFor(100, 100, 12), 0u);
  EXPECT_EQ(ShardBitsFor(202, 100, 12), 2u);
  EXPECT_EQ(ShardBitsFor(UINT64_MAX, 1, 12), 12u);
}

TEST(TraceShards, HashesBelongToTheirFirstBits) {
  const TraceShards one;
  EXPECT_EQ(one.count(), 1u);
  EXPECT_EQ(one.ShardOf(UINT64_MAX), 0u);
  EXPECT_EQ(one.HashInShard(UINT64_MAX), UINT64_MAX);
  const TraceShards eight{.bits = 3, .chunk_counts = {}};
  EXPECT_EQ(eight.count(), 8u);
  EXPECT_EQ(eight.ShardOf(0xa000000000000001), 5u);
  EXPECT_EQ(eight.HashInShard(0xa000000000000001), 8u);
}

TEST(TraceShards, ChunkCountsThatMakeNoSenseAreRefused) {
  const TraceShards shards{.bits = 1, .chunk_counts = {1, 300}};
  std::string bytes;
  PutChunkCounts(&bytes, shards);
  TraceShards read{.bits = 1, .chunk_counts = {}};
  ByteReader in(bytes);
  ASSERT_TRUE(GetChunkCounts(&in, &read));
  EXPECT_EQ(read.chunk_counts, shards.chunk_counts);
  EXPECT_TRUE(in.empty());
  for (const std::string& broken :
       {std::string(), std::string("\x01"), std::string("\x01\xac"), std::string("\x01\x00", 2)}) {
    ByteReader reader(broken);
    EXPECT_FALSE(GetChunkCounts(&reader, &read)) << broken.size();
  }
}

class ShardedTraceIndexTest : public testing::Test {
 protected:
  static constexpr uint32_t kSegments = 5;

  // Random traces, each of one to three segments, in 2^bits shards.
  void Write(uint32_t bits, size_t traces) {
    shards_ = {.bits = bits, .chunk_counts = {}};
    for (size_t i = 0; i < traces; ++i) {
      TraceId id;
      for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_.Next());
      std::vector<uint32_t> segments;
      for (uint64_t n = random_.Between(1, 3); n > 0; --n) {
        segments.push_back(static_cast<uint32_t>(random_.Below(kSegments)));
      }
      std::sort(segments.begin(), segments.end());
      segments.erase(std::unique(segments.begin(), segments.end()), segments.end());
      traces_.push_back({id, segments});
    }
    PageWriter writer(1);
    for (uint32_t shard = 0; shard < shards_.count(); ++shard) {
      std::vector<TraceIndexEntry> entries;
      for (const Trace& trace : traces_) {
        const uint64_t hash = TraceIdHash(trace.id);
        if (shards_.ShardOf(hash) != shard) continue;
        for (const uint32_t segment : trace.segments) entries.push_back({hash, segment});
      }
      AddTraceShard(std::move(entries), 24, &shards_, &writer);
    }
    ASSERT_TRUE(writer.Flush(&store_).ok());
  }

  struct Trace {
    TraceId id;
    std::vector<uint32_t> segments;
  };

  Random random_{7};
  PageCache cache_{1 << 20};
  TraceShards shards_;
  std::vector<Trace> traces_;
  MapPageStore store_;
};

TEST_F(ShardedTraceIndexTest, FindsEveryTraceAloneAndAllAtOnce) {
  for (const uint32_t bits : {0u, 4u}) {
    store_ = {};
    traces_.clear();
    Write(bits, 6000);
    const NamedPages pages(store_.Source(), "index");
    const ShardedTraceIndex index(&pages, &cache_, shards_, kSegments);
    std::sort(traces_.begin(), traces_.end(),
              [](const Trace& a, const Trace& b) { return TraceIdHash(a.id) < TraceIdHash(b.id); });
    std::vector<uint64_t> hashes;
    for (const Trace& trace : traces_) {
      std::vector<uint32_t> found;
      ASSERT_TRUE(index.Find(trace.id, &found).ok());
      EXPECT_EQ(found, trace.segments);
      hashes.push_back(TraceIdHash(trace.id));
    }
    std::vector<TraceMatch> matches;
    ASSERT_TRUE(index.FindAll(hashes, &matches).ok());
    std::vector<std::vector<uint32_t>> found(traces_.size());
    for (const TraceMatch& match : matches) found[match.trace].push_back(match.segment);
    for (size_t i = 0; i < traces_.size(); ++i) {
      std::sort(found[i].begin(), found[i].end());
      EXPECT_EQ(found[i], traces_[i].segments) << i;
    }
    std::vector<std::string> faults;
    index.Verify(&faults);
    EXPECT_TRUE(faults.empty());
  }
}

TEST_F(ShardedTraceIndexTest, ASegmentThatIsNotThereIsABrokenPage) {
  Write(1, 300);
  const NamedPages pages(store_.Source(), "index 9");
  const ShardedTraceIndex index(&pages, &cache_, shards_, kSegments - 1);
  const auto last = std::find_if(traces_.begin(), traces_.end(), [](const Trace& trace) {
    return trace.segments.back() == kSegments - 1;
  });
  ASSERT_TRUE(last != traces_.end());
  std::vector<uint32_t> found;
  const Status alone = index.Find(last->id, &found);
  EXPECT_EQ(alone.code(), StatusCode::kDataLoss);
  EXPECT_NE(alone.ToString().find("index 9: page trace_index/"), std::string::npos)
      << alone.ToString();
  EXPECT_TRUE(found.empty());
  const uint64_t hash = TraceIdHash(last->id);
  std::vector<TraceMatch> matches;
  EXPECT_EQ(index.FindAll({&hash, 1}, &matches).code(), StatusCode::kDataLoss);
}

TEST_F(ShardedTraceIndexTest, MissingAndFlippedPagesAreNamed) {
  Write(2, 100);
  store_.pages().erase(TraceShards::KeyOf(1, 0));
  store_.pages()[TraceShards::KeyOf(3, 0)].back() ^= 1;
  const NamedPages pages(store_.Source(), "index 9");
  const ShardedTraceIndex index(&pages, &cache_, shards_, kSegments);
  std::vector<std::string> faults;
  index.Verify(&faults);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_NE(faults[0].find("index 9: page trace_index/1/0"), std::string::npos) << faults[0];
  EXPECT_NE(faults[1].find("index 9: page trace_index/3/0"), std::string::npos) << faults[1];
}

}  // namespace
}  // namespace larder
