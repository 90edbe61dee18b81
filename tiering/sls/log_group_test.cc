#include "tiering/sls/log_group.h"

#include <gtest/gtest.h>

#include "tiering/base/digest.h"
#include "tiering/sls/sls_compression.h"

namespace larder {
namespace {

SlsLogGroup Sample() {
  return {.logs = {{.time_s = 1'700'000'000,
                    .time_ns = 123'456'789,
                    .contents = {{"traceID", "0000000000000abc"}, {"name", "GET /x"}}}},
          .source = "127.0.0.1",
          .tags = {{"__pack_id__", "P-1"}}};
}

// The bytes that the official SDK for Go writes for the same group.
TEST(LogGroup, IsWrittenAsTheSdkForGoDoes) {
  EXPECT_EQ(HexLower(EncodeLogGroup(Sample())),
            "0a380880e2cfaa06121b0a0774726163654944121030303030303030303030303030616263120e0a046e61"
            "6d651206474554202f782515cd5b071a0022093132372e302e302e3132120a0b5f5f7061636b5f69645f5f"
            "1203502d31");
}

TEST(LogGroup, IsReadAsItWasWritten) {
  SlsLogGroup group = Sample();
  group.logs.push_back({.time_s = 1, .contents = {{"", ""}, {"k", std::string(100'000, 'v')}}});
  group.topic = "t";
  const auto read = DecodeLogGroup(EncodeLogGroup(group));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(*read, group);
  EXPECT_EQ(read->logs[1].value("k").size(), 100'000U);
  EXPECT_EQ(read->logs[1].value("none"), "");
}

TEST(LogGroup, ListsAreRead) {
  const std::string one = EncodeLogGroup(Sample());
  ASSERT_LT(one.size(), 128U);
  std::string list;
  for (int i = 0; i < 2; ++i) list += std::string("\x0a") + static_cast<char>(one.size()) + one;
  const auto read = DecodeLogGroupList(list);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(*read, (std::vector<SlsLogGroup>{Sample(), Sample()}));
}

TEST(LogGroup, AFieldOfAnotherWireTypeIsPassedOver) {
  // Logs and tags as numbers, the topic as a fixed32, then a log with a time in bytes.
  const std::string odd("\x08\x05\x30\x05\x1d\1\2\3\4\x0a\x05\x0a\x01x\x10\x07", 16);
  const auto group = DecodeLogGroup(odd);
  ASSERT_TRUE(group.ok()) << group.status().ToString();
  EXPECT_EQ(*group, (SlsLogGroup{.logs = {SlsLog{}}}));
  EXPECT_TRUE(DecodeLogGroupList("\x08\x05")->empty());
}

TEST(LogGroup, CutBytesAreToldOrShorter) {
  const std::string whole = EncodeLogGroup(Sample());
  size_t refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto read = DecodeLogGroup(std::string_view(whole).substr(0, size));
    if (read.ok()) {
      EXPECT_NE(*read, Sample()) << size;
    } else {
      EXPECT_EQ(read.status().code(), StatusCode::kDataLoss);
      ++refused;
    }
  }
  EXPECT_GT(refused, whole.size() / 2);
}

TEST(SlsCompression, UnpacksToWhatWasPacked) {
  const std::string body = EncodeLogGroup(Sample()) + std::string(10'000, 'x');
  for (const SlsCompression kind : {SlsCompression::kLz4, SlsCompression::kZstd}) {
    const std::string packed = CompressBody(kind, body);
    EXPECT_LT(packed.size(), 500U);
    const auto unpacked = DecompressBody(CompressionName(kind), packed, body.size());
    ASSERT_TRUE(unpacked.ok()) << unpacked.status().ToString();
    EXPECT_EQ(*unpacked, body);
    for (const uint64_t wrong : {body.size() - 1, body.size() + 1, kSlsBodyBytesMax + 1}) {
      EXPECT_EQ(DecompressBody(CompressionName(kind), packed, wrong).status().code(),
                StatusCode::kDataLoss);
    }
  }
  EXPECT_EQ(CompressBody(SlsCompression::kNone, "x"), "x");
  EXPECT_EQ(DecompressBody("snappy", "x", 1).status().code(), StatusCode::kDataLoss);
}

// What the SDK for Go sends for bytes that do not compress.
TEST(SlsCompression, ReadsABlockOfLiteralsOnly) {
  const auto read = DecompressBody("lz4", std::string("\xf0\x01", 2) + "0123456789abcdef", 16);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(*read, "0123456789abcdef");
}

}  // namespace
}  // namespace larder
