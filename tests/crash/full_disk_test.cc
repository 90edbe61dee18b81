// A small real disk that others fill: at the journal, at the seal, at the close, at the start. And
// a disk that becomes read-only.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/base/log.h"
#include "tests/crash/child.h"
#include "tests/crash/oracle.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

// A tmpfs of its own; not mounted when we may not.
class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directory(path());
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, "size=32m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string path() const { return scratch_.File("disk"); }
  std::string data_dir() const { return path() + "/data"; }

  // Somebody takes all the space that is left.
  void Fill() {
    const int fd = ::open(Filler().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const std::string block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    ::close(fd);
  }
  void Free() { std::filesystem::remove(Filler()); }
  bool MakeReadOnly() {
    return ::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=32m") == 0;
  }

 private:
  std::string Filler() const { return path() + "/filler"; }

  const ScratchDirectory scratch_;
  bool mounted_ = false;
};

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "mounting a small disk is not permitted here";
    Open();
  }
  void TearDown() override { store_.reset(); }

  void Open() {
    store_.reset();
    auto store = Store::Open(SmallStore(disk_.data_dir(), nullptr));
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }
  WriteResult WriteNext() {
    const uint64_t number = oracle_.next_number();
    oracle_.Attempted(number);
    const std::string request = NumberedRequest(number);
    WriteResult result = store_->Write({.otlp = request});
    if (result.status.ok()) oracle_.Acknowledged(number);
    return result;
  }
  void WriteSome(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(WriteNext().status.ok());
  }
  // Until the store takes writes and has put everything where it belongs; ten seconds at most.
  void ExpectRecovery() {
    Status settled = Status::Unavailable("not tried");
    for (int i = 0; i < 200; ++i) {
      if (WriteNext().status.ok()) settled = store_->Settle();
      if (settled.ok()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(settled.ok()) << settled.ToString();
    Check("live");
    Open();
    Check("after a restart");
  }
  void Check(const char* when) {
    for (const std::string& difference : oracle_.Check(store_.get())) {
      ADD_FAILURE() << when << ": " << difference;
    }
  }
  void ExpectRefusal(const WriteResult& result) {
    EXPECT_TRUE(result.status.code() == StatusCode::kResourceExhausted ||
                result.status.code() == StatusCode::kUnavailable)
        << result.status.ToString();
    EXPECT_GT(result.retry_after_ms, 0u);
  }

  SmallDisk disk_;
  std::unique_ptr<Store> store_;
  Oracle oracle_;
};

TEST_F(FullDisk, AtTheJournal) {
  WriteSome(10);
  disk_.Fill();
  // The page of the journal that is begun still takes some.
  WriteResult result;
  for (int i = 0; i < 200 && result.status.ok(); ++i) result = WriteNext();
  ExpectRefusal(result);
  Check("while it is full");
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_FALSE(store_->stats().writable);
  disk_.Free();
  ExpectRecovery();
}

TEST_F(FullDisk, AtTheSeal) {
  WriteSome(10);
  ASSERT_TRUE(store_->Flush().ok());
  WriteSome(10);
  disk_.Fill();
  (void)store_->Flush().ok();
  Check("while it is full");
  disk_.Free();
  ExpectRecovery();
}

TEST_F(FullDisk, AtTheClose) {
  WriteSome(20);
  ASSERT_TRUE(store_->Flush().ok());
  WriteSome(20);
  ASSERT_TRUE(store_->Flush().ok());
  disk_.Fill();
  (void)store_->Settle().ok();
  Check("while it is full");
  disk_.Free();
  ExpectRecovery();
}

TEST_F(FullDisk, AtTheStart) {
  WriteSome(20);
  ASSERT_TRUE(store_->Flush().ok());
  WriteSome(5);
  store_.reset();
  disk_.Fill();
  Open();
  Check("started on a full disk");
  disk_.Free();
  if (!store_->stats().writable) Open();
  ExpectRecovery();
}

TEST_F(FullDisk, ReadOnlyIsReadAndSaysWhy) {
  WriteSome(20);
  ASSERT_TRUE(store_->Flush().ok());
  store_.reset();
  if (!disk_.MakeReadOnly()) GTEST_SKIP() << "remounting is not permitted here";
  Open();
  EXPECT_FALSE(store_->stats().writable);
  EXPECT_FALSE(store_->stats().not_writable_reason.empty());
  ExpectRefusal(WriteNext());
  Check("read only");
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  if (std::getenv("LARDER_CRASH_LOG") == nullptr) {
    larder::SetLogSink(
        [](larder::LogLevel, std::string_view, std::initializer_list<larder::LogField>) {});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
