#include "storage/journal/journal_format.h"

#include <gtest/gtest.h>

#include "tests/support/hex_examples.h"
#include "tests/support/journal_records.h"
#include "tests/support/memory_fs.h"

namespace larder {
namespace {

TEST(JournalFormat, ThePagesExampleIsAJournal) {
  MemoryFs fs;
  ASSERT_TRUE(fs.CreateDirectories(kTestDirectory).ok());
  fs.SetContent(kTestPath, HexExamples(LARDER_JOURNAL_PAGE).at(0));
  const auto replayed = ReplayAll(&fs);
  ASSERT_TRUE(replayed.ok()) << replayed.status().ToString();
  EXPECT_EQ(replayed->report.generation, 42u);
  EXPECT_EQ(replayed->records,
            (std::vector<OwnedRecord>{{0, 1'700'000'000'000'000'000, "one"}, {5, 2, "two"}}));
  EXPECT_TRUE(replayed->report.damages.empty());
  EXPECT_EQ(replayed->report.torn_tail_bytes, 0u);
}

// The compressor may change its bytes with its version; ours may not.
TEST(JournalFormat, TheWriterStillWritesTheExamplesHeaders) {
  MemoryFs fs;
  ASSERT_TRUE(fs.CreateDirectories(kTestDirectory).ok());
  const auto writer = JournalWriter::Create(&fs, kTestDirectory, 42, true).value();
  ASSERT_TRUE(CommitAll(writer.get(), {{0, 1'700'000'000'000'000'000, "one"}, {5, 2, "two"}}).ok());
  const std::string example = HexExamples(LARDER_JOURNAL_PAGE).at(0);
  const std::string written = fs.Content(kTestPath);
  EXPECT_EQ(written.substr(0, kJournalHeaderBytes + 4), example.substr(0, kJournalHeaderBytes + 4));
  FrameHeader ours;
  FrameHeader theirs;
  ASSERT_TRUE(ParseFrameHeader(written.substr(kJournalHeaderBytes, kFrameHeaderBytes), &ours));
  ASSERT_TRUE(ParseFrameHeader(example.substr(kJournalHeaderBytes, kFrameHeaderBytes), &theirs));
  EXPECT_EQ(ours.sequence, theirs.sequence);
  EXPECT_EQ(ours.raw_bytes, theirs.raw_bytes);
  EXPECT_EQ(ours.record_count, theirs.record_count);
}

TEST(JournalFormat, RecordsAreNoLongerThanTheirBound) {
  for (const OwnedRecord& record :
       {OwnedRecord{}, OwnedRecord{UINT32_MAX, UINT64_MAX, std::string(70'000, 'x')}}) {
    std::string raw;
    PutRecordHead(record.view(), &raw);
    raw += record.request;
    EXPECT_LE(raw.size(), RecordBytes(record.view()));
    std::string_view left = raw;
    JournalRecord back;
    ASSERT_TRUE(TakeRecord(&left, &back));
    EXPECT_EQ(back.request, record.request);
    for (size_t cut = 0; cut < std::min<size_t>(raw.size(), 100); ++cut) {
      left = std::string_view(raw).substr(0, cut);
      EXPECT_FALSE(TakeRecord(&left, &back));
    }
  }
}

}  // namespace
}  // namespace larder
