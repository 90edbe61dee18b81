#include "storage/segment/format/header.h"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include "storage/segment/format/header_generated.h"
#include "storage/segment/format/segment_format.h"

namespace larder {
namespace {

Header Example() {
  Header header;
  header.info.identity = {.segment_id = 1, .tenant = 2, .generations = {3}, .replaces = {4, 5}};
  header.info.row_count = 10;
  header.info.trace_count = 3;
  header.info.start = {7, 8};
  header.info.latest_end_ns = 9;
  header.columns.push_back({.role = ColumnRole::kAttribute,
                            .type = ValueType::kString,
                            .key = std::string("k\0\xff", 3),
                            .value_count = 6,
                            .dictionary_size = 5});
  header.pages = {{Section::kFixed, 0, 0, 2, 100},
                  {Section::kFixed, 0, 5, 1, 10},
                  {Section::kFixed, 3, 0, 1, 1}};
  return header;
}

TEST(HeaderTest, ComesBack) {
  const auto read = DecodeHeader(EncodeHeader(Example()));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->info.identity.replaces, (std::vector<uint64_t>{4, 5}));
  EXPECT_EQ(read->info.start.max_ns, 8u);
  EXPECT_EQ(read->info.size_bytes, 111u);
  ASSERT_EQ(read->columns.size(), 1u);
  EXPECT_EQ(read->columns[0].key, std::string("k\0\xff", 3));
  EXPECT_EQ(read->columns[0].dictionary_size, 5u);
  EXPECT_EQ(read->page_count(Section::kFixed, 3), 1u);
}

TEST(HeaderTest, KnowsItsPages) {
  const Header header = Example();
  for (uint32_t page = 0; page < 8; ++page) {
    EXPECT_EQ(header.has({Section::kFixed, 0, page}), page < 2 || page == 5);
    EXPECT_EQ(header.has({Section::kFixed, 3, page}), page == 0);
    EXPECT_FALSE(header.has({Section::kFixed, 1, page}));
    EXPECT_FALSE(header.has({Section::kTraces, 0, page}));
    EXPECT_FALSE(header.has({Section::kAttributes, 0, page}));
  }
}

TEST(HeaderTest, ANewerVersionIsRefusedAsSuch) {
  flatbuffers::FlatBufferBuilder builder;
  fbs::SegmentHeaderBuilder header(builder);
  header.add_format_version(kSegmentFormatVersion + 1);
  fbs::FinishSegmentHeaderBuffer(builder, header.Finish());
  const auto read =
      DecodeHeader({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
  EXPECT_EQ(read.status().code(), StatusCode::kFailedPrecondition);
}

TEST(HeaderTest, WhatContradictsItselfIsRefused) {
  const auto refused = [](const Header& header) {
    return DecodeHeader(EncodeHeader(header)).status().code() == StatusCode::kDataLoss;
  };
  Header header = Example();
  header.info.row_count = 0;
  EXPECT_TRUE(refused(header));
  header = Example();
  header.info.trace_count = 11;
  EXPECT_TRUE(refused(header));
  header = Example();
  std::swap(header.pages[0], header.pages[1]);
  EXPECT_TRUE(refused(header));
  header = Example();
  header.pages[0].page_count = 6;  // over the next run
  EXPECT_TRUE(refused(header));
  header = Example();
  header.columns[0].coding = ColumnCoding::kNumbers;  // of strings
  EXPECT_TRUE(refused(header));
  EXPECT_FALSE(refused(Example()));
}

TEST(HeaderTest, BrokenBytesAreRefused) {
  const std::string body = EncodeHeader(Example());
  // The last bytes may be padding.
  for (size_t size = 0; size + 8 < body.size(); ++size) {
    EXPECT_FALSE(DecodeHeader(body.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(DecodeHeader("").ok());
  EXPECT_FALSE(DecodeHeader(std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace larder
