#include <cerrno>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/base/file_system.h"
#include "storage/base/posix_status.h"

namespace larder {
namespace {

class PosixFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "larder_base_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  FileSystem& file_system_ = FileSystem::Posix();
  std::string directory_;
};

TEST_F(PosixFileSystemTest, AppendsReadsAndTruncates) {
  auto file = file_system_.CreateFile(Path("f"));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Append("hello ").ok());
  EXPECT_TRUE((*file)->Append("world").ok());
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_EQ((*file)->size_bytes(), 11u);
  EXPECT_EQ(file_system_.Read(Path("f"), 6, 100).value(), "world");
  EXPECT_EQ(file_system_.Read(Path("f"), 50, 100).value(), "");
  EXPECT_TRUE((*file)->Truncate(5).ok());
  EXPECT_TRUE((*file)->Append("!").ok());
  EXPECT_EQ(file_system_.Read(Path("f"), 0, 100).value(), "hello!");
}

TEST_F(PosixFileSystemTest, OpenFileGoesOnAtTheEnd) {
  ASSERT_TRUE((*file_system_.CreateFile(Path("f")))->Append("ab").ok());
  auto file = file_system_.OpenFile(Path("f"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->size_bytes(), 2u);
  EXPECT_TRUE((*file)->Append("c").ok());
  EXPECT_EQ(file_system_.Read(Path("f"), 0, 100).value(), "abc");
  EXPECT_EQ(file_system_.OpenFile(Path("absent")).status().code(), StatusCode::kNotFound);
}

TEST_F(PosixFileSystemTest, ListsSortedAndRenamesAndRemoves) {
  ASSERT_TRUE(file_system_.CreateFile(Path("b")).ok());
  ASSERT_TRUE(file_system_.CreateFile(Path("a")).ok());
  EXPECT_EQ(file_system_.List(directory_).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(file_system_.Rename(Path("a"), Path("c")).ok());
  EXPECT_TRUE(file_system_.Remove(Path("b")).ok());
  EXPECT_TRUE(file_system_.SyncDirectory(directory_).ok());
  EXPECT_EQ(file_system_.List(directory_).value(), std::vector<std::string>{"c"});
  EXPECT_FALSE(file_system_.Exists(Path("b")));
  EXPECT_EQ(file_system_.Remove(Path("b")).code(), StatusCode::kNotFound);
}

TEST_F(PosixFileSystemTest, DirectoriesArePrivateAndMayExist) {
  const std::string deep = Path("x/y/z");
  EXPECT_TRUE(file_system_.CreateDirectories(deep).ok());
  EXPECT_TRUE(file_system_.CreateDirectories(deep).ok());
  struct stat facts {};
  ASSERT_EQ(::stat(deep.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0700u);
  ASSERT_TRUE(file_system_.CreateFile(Path("file")).ok());
  EXPECT_EQ(file_system_.CreateDirectories(Path("file")).code(), StatusCode::kUnavailable);
  EXPECT_EQ(file_system_.CreateDirectories(Path("file/below")).code(), StatusCode::kUnavailable);
}

TEST_F(PosixFileSystemTest, AllocateTakesRealBlocks) {
  ASSERT_TRUE(file_system_.Allocate(Path("reserve"), 1 << 20).ok());
  EXPECT_EQ(file_system_.FileSize(Path("reserve")).value(), 1u << 20);
  struct stat facts {};
  ASSERT_EQ(::stat(Path("reserve").c_str(), &facts), 0);
  EXPECT_GE(facts.st_blocks * 512, 1 << 20);
}

TEST_F(PosixFileSystemTest, AllocateBeyondTheDiskLeavesNothing) {
  const uint64_t too_much = uint64_t{1} << 60;
  EXPECT_FALSE(file_system_.Allocate(Path("reserve"), too_much).ok());
  EXPECT_FALSE(file_system_.Exists(Path("reserve")));
}

TEST_F(PosixFileSystemTest, SpaceIsPlausible) {
  const auto space = file_system_.Space(directory_);
  ASSERT_TRUE(space.ok());
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_F(PosixFileSystemTest, SecondLockNamesTheHolder) {
  {
    auto held = file_system_.Lock(Path("LOCK"));
    ASSERT_TRUE(held.ok());
    const auto second = file_system_.Lock(Path("LOCK"));
    EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
    EXPECT_NE(second.status().message().find("process " + std::to_string(::getpid()) + ";"),
              std::string_view::npos);
  }
  EXPECT_TRUE(file_system_.Lock(Path("LOCK")).ok());
}

TEST_F(PosixFileSystemTest, LockEndsWithItsProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = file_system_.Lock(Path("LOCK"));
    ::_exit(held.ok() ? 0 : 1);  // without a destructor, as kill -9
  }
  int outcome = 0;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_EQ(outcome, 0);
  EXPECT_TRUE(file_system_.Lock(Path("LOCK")).ok());
}

TEST_F(PosixFileSystemTest, FullDiskIsResourceExhaustedWithTheCure) {
  // Writes to /dev/full fail with ENOSPC on every Linux.
  auto file = file_system_.OpenFile("/dev/full");
  ASSERT_TRUE(file.ok());
  const Status status = (*file)->Append("x");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("/dev/full"), std::string_view::npos);
  EXPECT_NE(status.message().find("free space"), std::string_view::npos);
}

TEST(PosixStatus, CodesByKind) {
  EXPECT_EQ(PosixStatus("p", "a", EDQUOT).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(PosixStatus("p", "a", EIO).code(), StatusCode::kUnavailable);
  EXPECT_EQ(PosixStatus("p", "a", EROFS).code(), StatusCode::kUnavailable);
  EXPECT_EQ(PosixStatus("p", "a", ENOENT).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace larder
