#include "tests/support/memory_fs.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

class MemoryFsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs_.CreateDirectories("/d").ok()); }

  // Synced "safe", unsynced "lost", under a name that is durable.
  std::unique_ptr<AppendFile> HalfSynced() {
    auto file = fs_.CreateFile("/d/f").value();
    EXPECT_TRUE(file->Append("safe").ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(fs_.SyncDirectory("/d").ok());
    EXPECT_TRUE(file->Append("lost").ok());
    return file;
  }

  MemoryFs fs_;
};

TEST_F(MemoryFsTest, UnsyncedBytesAreLost) {
  const auto file = HalfSynced();
  EXPECT_EQ(fs_.Content("/d/f"), "safelost");
  fs_.PowerCut();
  EXPECT_EQ(fs_.Content("/d/f"), "safe");
  EXPECT_EQ(file->Append("x").code(), StatusCode::kUnavailable);
}

TEST_F(MemoryFsTest, TailsOfOtherKinds) {
  HalfSynced();
  fs_.PowerCut({.tail = UnsyncedTail::kZeros});
  EXPECT_EQ(fs_.Content("/d/f"), std::string("safe\0\0\0\0", 8));
  HalfSynced();
  fs_.PowerCut({.tail = UnsyncedTail::kTorn, .seed = 3});
  EXPECT_TRUE(std::string("safelost").starts_with(fs_.Content("/d/f")));
  HalfSynced();
  fs_.PowerCut({.tail = UnsyncedTail::kKept});
  EXPECT_EQ(fs_.Content("/d/f"), "safelost");
}

TEST_F(MemoryFsTest, UnsyncedNamesAreUndone) {
  HalfSynced();
  ASSERT_TRUE(fs_.CreateFile("/d/new").value()->Sync().ok());
  ASSERT_TRUE(fs_.Rename("/d/f", "/d/g").ok());
  EXPECT_EQ(fs_.List("/d").value(), (std::vector<std::string>{"g", "new"}));
  fs_.PowerCut();
  EXPECT_EQ(fs_.List("/d").value(), std::vector<std::string>{"f"});
}

TEST_F(MemoryFsTest, UnsyncedRemovalComesBack) {
  HalfSynced();
  ASSERT_TRUE(fs_.Remove("/d/f").ok());
  fs_.PowerCut();
  EXPECT_EQ(fs_.Content("/d/f"), "safe");
  ASSERT_TRUE(fs_.Remove("/d/f").ok());
  fs_.PowerCut({.keep_names = true});
  EXPECT_FALSE(fs_.Exists("/d/f"));
}

TEST_F(MemoryFsTest, UnsyncedTruncationComesBack) {
  const auto file = HalfSynced();
  ASSERT_TRUE(file->Truncate(1).ok());
  ASSERT_TRUE(file->Append("xyz12").ok());
  fs_.PowerCut();
  EXPECT_EQ(fs_.Content("/d/f"), "safe");
}

TEST_F(MemoryFsTest, LocksEndWithTheirHolderOrThePower) {
  auto held = fs_.Lock("/d/LOCK").value();
  EXPECT_EQ(fs_.Lock("/d/LOCK").status().code(), StatusCode::kAlreadyExists);
  fs_.PowerCut();
  auto next = fs_.Lock("/d/LOCK");
  ASSERT_TRUE(next.ok());
  held.reset();  // of before the cut: must not release the new one
  EXPECT_FALSE(fs_.Lock("/d/LOCK").ok());
}

TEST_F(MemoryFsTest, ListsDirectoriesToo) {
  ASSERT_TRUE(fs_.CreateDirectories("/d/below/deep").ok());
  HalfSynced();
  EXPECT_EQ(fs_.List("/d").value(), (std::vector<std::string>{"below", "f"}));
  EXPECT_EQ(fs_.CreateFile("/absent/f").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace larder
