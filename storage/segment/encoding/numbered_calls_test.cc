#include "storage/segment/encoding/numbered_calls.h"

#include <gtest/gtest.h>

#include "storage/segment/encoding/encoding.h"

namespace larder {
namespace {

std::string Encoded(const std::vector<NumberedCall>& calls) {
  std::string body;
  EncodeNumberedCalls(calls, &body);
  return body;
}

bool Decode(std::string_view body, size_t service_count, std::vector<NumberedCall>* calls) {
  ByteReader in(body);
  return DecodeNumberedCalls(&in, service_count, calls);
}

TEST(NumberedCalls, ComeBackBehindWhatIsThere) {
  const std::vector<NumberedCall> first = {
      {100, 0, 1, 7}, {100, 1, 0, UINT64_MAX}, {5000, 2, 2, 1}};
  const std::vector<NumberedCall> second = {{3, 0, 2, 9}};
  std::vector<NumberedCall> read;
  ASSERT_TRUE(Decode(Encoded(first), 3, &read));
  EXPECT_EQ(read, first);
  ASSERT_TRUE(Decode(Encoded(second), 3, &read));
  ASSERT_EQ(read.size(), 4u);
  EXPECT_EQ(read.back(), second[0]);
  ASSERT_TRUE(Decode(Encoded({}), 0, &read));
  EXPECT_EQ(read.size(), 4u);
}

TEST(NumberedCalls, NothingShorterOrLongerDecodes) {
  const std::string body = Encoded({{100, 0, 1, 7}, {101, 0, 1, 2}});
  std::vector<NumberedCall> calls;
  EXPECT_FALSE(Decode(body + "x", 2, &calls));
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(Decode(body.substr(0, size), 2, &calls)) << size;
  }
}

TEST(NumberedCalls, ServicesAreBelowTheirCount) {
  std::vector<NumberedCall> calls;
  EXPECT_FALSE(Decode(Encoded({{1, 2, 0, 1}}), 2, &calls));
  EXPECT_FALSE(Decode(Encoded({{1, 0, 2, 1}}), 2, &calls));
  EXPECT_TRUE(Decode(Encoded({{1, 0, 2, 1}}), 3, &calls));
}

TEST(NumberedCalls, ColumnsAreOfOneLength) {
  const std::vector<uint64_t> numbers[] = {{5, 1}, {5}};
  const std::vector<uint32_t> codes[] = {{0, 1}, {0}};
  for (int shorter = 0; shorter < 5; ++shorter) {  // the last: none
    std::string body;
    EncodeNumbers(numbers[shorter == 0 ? 1 : 0], &body);
    EncodeCodes(codes[shorter == 1 ? 1 : 0], &body);
    EncodeCodes(codes[shorter == 2 ? 1 : 0], &body);
    EncodeNumbers(numbers[shorter == 3 ? 1 : 0], &body);
    std::vector<NumberedCall> calls;
    EXPECT_EQ(Decode(body, 2, &calls), shorter == 4) << shorter;
  }
}

}  // namespace
}  // namespace larder
