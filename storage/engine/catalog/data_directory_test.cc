#include "storage/engine/catalog/data_directory.h"

#include <gtest/gtest.h>

#include "tests/support/memory_fs.h"

namespace larder {
namespace {

TEST(DataDirectory, IsMadeLockedAndMarked) {
  MemoryFs fs;
  auto directory = DataDirectory::Open(&fs, "/data/larder");
  ASSERT_TRUE(directory.ok()) << directory.status().ToString();
  EXPECT_EQ(fs.Content("/data/larder/FORMAT"), "larder 1\n");
  EXPECT_EQ(DataDirectory::Open(&fs, "/data/larder").status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(DataDirectory::OpenReadOnly(&fs, "/data/larder").status().code(),
            StatusCode::kAlreadyExists);
  directory->reset();
  EXPECT_TRUE(DataDirectory::OpenReadOnly(&fs, "/data/larder").ok());
  EXPECT_TRUE(DataDirectory::Open(&fs, "/data/larder").ok());
}

TEST(DataDirectory, OpensWithALockThatItsCallerHas) {
  MemoryFs fs;
  auto lock = DataDirectory::Lock(&fs, "/data");
  ASSERT_TRUE(lock.ok()) << lock.status().ToString();
  EXPECT_FALSE(fs.Exists("/data/FORMAT"));
  EXPECT_EQ(DataDirectory::Lock(&fs, "/data").status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(DataDirectory::Open(&fs, "/data").status().code(), StatusCode::kAlreadyExists);
  EXPECT_TRUE(DataDirectory::Open(&fs, "/data", *lock).ok());
  EXPECT_TRUE(DataDirectory::OpenReadOnly(&fs, "/data", *lock).ok());
  // The caller has it still, whatever became of what it opened.
  EXPECT_EQ(DataDirectory::Open(&fs, "/data").status().code(), StatusCode::kAlreadyExists);
  lock->reset();
  EXPECT_TRUE(DataDirectory::Open(&fs, "/data").ok());
}

TEST(DataDirectory, NewerFormatIsRefusedUntouched) {
  MemoryFs fs;
  ASSERT_TRUE(DataDirectory::Open(&fs, "/data").ok());
  const std::string newer = "larder " + std::to_string(kFormatVersion + 1) + "\n";
  fs.SetContent("/data/FORMAT", newer);
  const Status refused = DataDirectory::Open(&fs, "/data").status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("version " + std::to_string(kFormatVersion + 1)),
            std::string::npos)
      << refused.message();
  EXPECT_NE(refused.message().find("use a newer program"), std::string::npos) << refused.message();
  EXPECT_EQ(fs.Content("/data/FORMAT"), newer);
  EXPECT_EQ(DataDirectory::OpenReadOnly(&fs, "/data").status().code(),
            StatusCode::kFailedPrecondition);
}

TEST(DataDirectory, ABrokenFormatFileIsWrittenAnew) {
  MemoryFs fs;
  ASSERT_TRUE(DataDirectory::Open(&fs, "/data").ok());
  for (const char* broken : {"", "lardXr 1\n", "larder x\n"}) {
    fs.SetContent("/data/FORMAT", broken);
    ASSERT_TRUE(DataDirectory::Open(&fs, "/data").ok());
    EXPECT_EQ(fs.Content("/data/FORMAT"), "larder 1\n");
  }
}

TEST(DataDirectory, TheFormatRisesAndNeverFalls) {
  MemoryFs fs;
  {
    const auto directory = DataDirectory::Open(&fs, "/data");
    ASSERT_TRUE(directory.ok());
    EXPECT_EQ((*directory)->format_version(), kFormatVersionFirst);
    ASSERT_TRUE((*directory)->RaiseFormat(kFormatVersionCold).ok());
    EXPECT_EQ(fs.Content("/data/FORMAT"), "larder 2\n");
  }
  const auto directory = DataDirectory::Open(&fs, "/data");
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ((*directory)->format_version(), kFormatVersionCold);
  ASSERT_TRUE((*directory)->RaiseFormat(kFormatVersionFirst).ok());
  EXPECT_EQ(fs.Content("/data/FORMAT"), "larder 2\n");
}

TEST(DataDirectory, DamagedJournalsAreKeptAside) {
  MemoryFs fs;
  auto directory = DataDirectory::Open(&fs, "/data");
  ASSERT_TRUE(directory.ok());
  fs.SetContent("/data/journal/x.journal", "bytes");
  (*directory)->SetAsideJournal("x.journal");
  EXPECT_FALSE(fs.Exists("/data/journal/x.journal"));
  EXPECT_EQ(fs.Content("/data/set-aside/x.journal"), "bytes");
}

}  // namespace
}  // namespace larder
