#include "tests/support/faulty_fs.h"

#include <gtest/gtest.h>

#include "tests/support/memory_fs.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

// Create, append, sync, directory sync, append: calls 0 to 4 after the directory.
Status Scenario(FileSystem* fs, const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(auto file, fs->CreateFile(path));
  LARDER_RETURN_IF_ERROR(file->Append("safe"));
  LARDER_RETURN_IF_ERROR(file->Sync());
  LARDER_RETURN_IF_ERROR(fs->SyncDirectory(path.substr(0, path.find_last_of('/'))));
  return file->Append("lost");
}

class FaultyFsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(memory_.CreateDirectories("/d").ok()); }
  MemoryFs memory_;
  FaultyFs fs_{&memory_};
};

TEST_F(FaultyFsTest, CountsWhatChanges) {
  EXPECT_TRUE(Scenario(&fs_, "/d/f").ok());
  EXPECT_TRUE(fs_.Read("/d/f", 0, 9).ok());
  EXPECT_EQ(fs_.calls(), 5u);
}

TEST_F(FaultyFsTest, FailsOneCallOnly) {
  for (uint64_t n = 0; n < 5; ++n) {
    fs_.ResetCount();
    fs_.FailAt(n, Status::Unavailable("no"));
    EXPECT_EQ(Scenario(&fs_, "/d/f").message(), "no") << n;
    EXPECT_TRUE(fs_.SyncDirectory("/d").ok());
  }
}

TEST_F(FaultyFsTest, TornAppendWritesHalf) {
  fs_.TearAt(4, Status::Unavailable("torn"));
  EXPECT_EQ(Scenario(&fs_, "/d/f").message(), "torn");
  EXPECT_EQ(memory_.Content("/d/f"), "safelo");
}

TEST_F(FaultyFsTest, PowerCutLeavesWhatWasSyncedBefore) {
  const std::vector<std::string> expected = {"", "", "", "", "safe"};
  for (uint64_t n = 0; n < 5; ++n) {
    MemoryFs memory;
    ASSERT_TRUE(memory.CreateDirectories("/d").ok());
    FaultyFs fs(&memory);
    fs.CutPowerAt(n);
    EXPECT_FALSE(Scenario(&fs, "/d/f").ok());
    EXPECT_FALSE(fs.List("/d").ok()) << "reads fail as well";
    memory.PowerCut();
    fs.Heal();
    EXPECT_EQ(memory.Content("/d/f"), expected[n]) << n;
    EXPECT_TRUE(fs.List("/d").ok());
  }
}

TEST_F(FaultyFsTest, FullDiskTakesWhatFitsAndRemovalHelps) {
  fs_.SetSpaceLeft(6);
  const Status status = Scenario(&fs_, "/d/f");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(memory_.Content("/d/f"), "safelo");
  EXPECT_EQ(fs_.Space("/d").value().free_bytes, 0u);
  EXPECT_EQ(fs_.Allocate("/d/reserve", 1).code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(fs_.Remove("/d/f").ok());
  EXPECT_EQ(fs_.Space("/d").value().free_bytes, 6u);
}

TEST(FaultyFsOverDisk, DropsUnsyncedBytesAndNames) {
  const ScratchDirectory scratch;
  FaultyFs fs(&FileSystem::Posix());
  ASSERT_TRUE(Scenario(&fs, scratch.File("f")).ok());
  ASSERT_TRUE(fs.CreateFile(scratch.File("unnamed")).value()->Sync().ok());
  fs.PowerCut();
  EXPECT_EQ(fs.List(scratch.path()).value(), std::vector<std::string>{"f"});
  EXPECT_EQ(fs.Read(scratch.File("f"), 0, 100).value(), "safe");
}

TEST(FaultyFsOverDisk, TailOfZeros) {
  const ScratchDirectory scratch;
  FaultyFs fs(&FileSystem::Posix());
  ASSERT_TRUE(Scenario(&fs, scratch.File("f")).ok());
  fs.PowerCut({.tail = UnsyncedTail::kZeros});
  EXPECT_EQ(fs.Read(scratch.File("f"), 0, 100).value(), std::string("safe\0\0\0\0", 8));
}

}  // namespace
}  // namespace larder
