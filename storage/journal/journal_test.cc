#include "storage/journal/journal.h"

#include <gtest/gtest.h>

#include "tests/support/faulty_fs.h"
#include "tests/support/journal_records.h"
#include "tests/support/memory_fs.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(memory_.CreateDirectories(kTestDirectory).ok()); }

  std::unique_ptr<JournalWriter> Create(bool sync = true) {
    return JournalWriter::Create(&fs_, kTestDirectory, kTestGeneration, sync).value();
  }

  MemoryFs memory_;
  FaultyFs fs_{&memory_};
};

TEST_F(JournalTest, NamesAndNumbers) {
  EXPECT_EQ(JournalFileName(42), "0000000000000042.journal");
  for (const uint64_t generation : {uint64_t{0}, uint64_t{42}, UINT64_MAX}) {
    uint64_t back = 1;
    EXPECT_TRUE(ParseJournalFileName(JournalFileName(generation), &back));
    EXPECT_EQ(back, generation);
  }
  uint64_t unused = 0;
  for (const char* name :
       {"", ".journal", "42.journal", "000000000000004x.journal", "0000000000000042.journal~",
        "-000000000000042.journal", "99999999999999999999999.journal"}) {
    EXPECT_FALSE(ParseJournalFileName(name, &unused)) << name;
  }
}

TEST_F(JournalTest, WhatWasCommittedComesBack) {
  const std::vector<OwnedRecord> first = {{0, 1000, "request one"}, {7, 1001, ""}};
  const std::vector<OwnedRecord> second = {{0, UINT64_MAX, std::string(100'000, 'x')}};
  const auto writer = Create();
  ASSERT_TRUE(CommitAll(writer.get(), first).ok());
  ASSERT_TRUE(CommitAll(writer.get(), {}).ok());
  ASSERT_TRUE(CommitAll(writer.get(), second).ok());
  const auto replayed = ReplayAll(&fs_);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records, (std::vector<OwnedRecord>{first[0], first[1], second[0]}));
  EXPECT_EQ(replayed->report.generation, kTestGeneration);
  EXPECT_EQ(replayed->report.groups, 2u);
  EXPECT_EQ(replayed->report.records, 3u);
  EXPECT_EQ(replayed->report.torn_tail_bytes, 0u);
  EXPECT_TRUE(replayed->report.damages.empty());
  EXPECT_EQ(writer->size_bytes(), memory_.Content(kTestPath).size());
}

TEST_F(JournalTest, OneWriteAndOneSyncPerGroup) {
  const auto writer = Create();
  fs_.ResetCount();
  ASSERT_TRUE(CommitAll(writer.get(), {{0, 1, "a"}, {0, 2, "b"}}).ok());
  EXPECT_EQ(fs_.calls(), 2u);
}

TEST_F(JournalTest, CommittedSurvivesPowerLossAndUnsyncedNeedNot) {
  for (const bool sync : {true, false}) {
    MemoryFs memory;
    ASSERT_TRUE(memory.CreateDirectories(kTestDirectory).ok());
    const auto writer =
        JournalWriter::Create(&memory, kTestDirectory, kTestGeneration, sync).value();
    ASSERT_TRUE(CommitAll(writer.get(), {{0, 1, "a"}}).ok());
    memory.PowerCut();
    const auto replayed = ReplayAll(&memory);
    ASSERT_TRUE(replayed.ok());
    EXPECT_EQ(replayed->records.size(), sync ? 1u : 0u);
  }
}

TEST_F(JournalTest, NeverOverwritesAJournal) {
  Create();
  const auto second = JournalWriter::Create(&fs_, kTestDirectory, kTestGeneration, true);
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
}

TEST_F(JournalTest, FailedCreationLeavesNoFile) {
  for (uint64_t n = 0; n < 4; ++n) {
    fs_.ResetCount();
    fs_.FailAt(n, Status::ResourceExhausted("full"));
    const auto writer = JournalWriter::Create(&fs_, kTestDirectory, kTestGeneration, true);
    EXPECT_EQ(writer.status().code(), StatusCode::kResourceExhausted) << n;
    EXPECT_FALSE(fs_.Exists(kTestPath)) << n;
  }
}

// Write and sync of a group are calls 0 and 1 after a reset.
TEST_F(JournalTest, FailedWriteOrSyncEndsTheWriter) {
  for (uint64_t n = 0; n < 2; ++n) {
    const auto writer = Create();
    ASSERT_TRUE(CommitAll(writer.get(), {{0, 1, "kept"}}).ok());
    fs_.ResetCount();
    fs_.TearAt(n, Status::ResourceExhausted("full"));
    EXPECT_EQ(CommitAll(writer.get(), {{0, 2, "refused"}}).code(), StatusCode::kResourceExhausted);
    const Status next = CommitAll(writer.get(), {{0, 3, "later"}});
    EXPECT_EQ(next.code(), StatusCode::kUnavailable);
    EXPECT_NE(next.message().find(kTestPath), std::string_view::npos);
    const auto replayed = ReplayAll(&fs_);
    ASSERT_TRUE(replayed.ok());
    EXPECT_EQ(replayed->records, (std::vector<OwnedRecord>{{0, 1, "kept"}}));
    EXPECT_EQ(replayed->report.torn_tail_bytes, 0u) << "the refused group was cut off";
    ASSERT_TRUE(fs_.Remove(kTestPath).ok());
  }
}

TEST_F(JournalTest, WhenEvenCuttingBackFailsTheTailIsTorn) {
  const auto writer = Create();
  ASSERT_TRUE(CommitAll(writer.get(), {{0, 1, "kept"}}).ok());
  fs_.ResetCount();
  fs_.CutPowerAt(0);  // half the group is written, nothing works after that
  EXPECT_FALSE(CommitAll(writer.get(), {{0, 2, "refused"}}).ok());
  fs_.Heal();
  const auto replayed = ReplayAll(&fs_);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records, (std::vector<OwnedRecord>{{0, 1, "kept"}}));
  EXPECT_GT(replayed->report.torn_tail_bytes, 0u);
  EXPECT_TRUE(replayed->report.damages.empty());
}

TEST_F(JournalTest, FullDiskAtEveryByte) {
  uint64_t refused = 0;
  for (uint64_t room = 0; room < 400; ++room) {
    const bool left_over = fs_.Exists(kTestPath);
    ASSERT_TRUE(!left_over || fs_.Remove(kTestPath).ok());
    fs_.SetSpaceLeft(room);
    std::vector<OwnedRecord> acknowledged;
    auto writer = JournalWriter::Create(&fs_, kTestDirectory, kTestGeneration, true);
    for (uint64_t i = 0; writer.ok() && i < 5; ++i) {
      const OwnedRecord record = {0, i, "request " + std::to_string(i)};
      const Status status = CommitAll(writer->get(), {record});
      if (status.ok()) acknowledged.push_back(record);
      if (!status.ok()) ++refused;
    }
    fs_.Heal();
    if (!fs_.Exists(kTestPath)) continue;
    const auto replayed = ReplayAll(&fs_);
    ASSERT_TRUE(replayed.ok());
    EXPECT_EQ(replayed->records, acknowledged) << "room " << room;
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(JournalTest, GroupsLargerThanAFrameAreSplit) {
  Random random(1);
  std::vector<OwnedRecord> records;
  for (uint64_t i = 0; i < 5; ++i) {
    records.push_back({0, i, RandomRequest(&random, 3 << 20)});
  }
  const auto writer = Create();
  ASSERT_TRUE(CommitAll(writer.get(), records).ok());
  const auto replayed = ReplayAll(&fs_);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records, records);
  EXPECT_EQ(replayed->report.groups, 3u) << "two requests of 3 MiB fit into a frame of 8";
}

TEST_F(JournalTest, TheLargestRequestFits) {
  const OwnedRecord largest = {0, 1, std::string(64 << 20, 'x')};
  const auto writer = Create();
  ASSERT_TRUE(CommitAll(writer.get(), {largest, {0, 2, "after"}}).ok());
  const auto replayed = ReplayAll(&fs_);
  ASSERT_TRUE(replayed.ok());
  ASSERT_EQ(replayed->records.size(), 2u);
  EXPECT_TRUE(replayed->records[0] == largest);
}

TEST_F(JournalTest, ARequestAboveTheLimitIsRefusedAndTheWriterGoesOn) {
  const auto writer = Create();
  const std::string huge(kJournalRequestBytesMax + 1, 'x');
  const JournalRecord record = {.tenant = 0, .arrival_ns = 1, .request = huge};
  EXPECT_EQ(writer->Commit({&record, 1}).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(CommitAll(writer.get(), {{0, 2, "after"}}).ok());
}

TEST_F(JournalTest, ReplayStopsWithTheVisitorsStatus) {
  const auto writer = Create();
  ASSERT_TRUE(CommitAll(writer.get(), {{0, 1, "a"}, {0, 2, "b"}}).ok());
  const auto refuse = [](const JournalRecord&) { return Status::Cancelled("enough"); };
  EXPECT_EQ(ReplayJournal(&fs_, kTestPath, refuse).status().code(), StatusCode::kCancelled);
}

TEST(JournalOnDisk, RandomGroupsComeBack) {
  Random random(TestSeed());
  const ScratchDirectory scratch;
  FileSystem& fs = FileSystem::Posix();
  const auto writer = JournalWriter::Create(&fs, scratch.path(), 7, false).value();
  std::vector<OwnedRecord> all;
  for (int group = 0; group < 100; ++group) {
    std::vector<OwnedRecord> records;
    for (uint64_t i = random.Below(5); i > 0; --i) {
      records.push_back({static_cast<TenantId>(random.Next()), random.Next(),
                         RandomRequest(&random, random.Below(30'000))});
    }
    ASSERT_TRUE(CommitAll(writer.get(), records).ok());
    all.insert(all.end(), records.begin(), records.end());
  }
  const auto replayed = ReplayAll(&fs, scratch.File(JournalFileName(7)));
  ASSERT_TRUE(replayed.ok());
  EXPECT_TRUE(replayed->records == all);
}

}  // namespace
}  // namespace larder
