// A flipped bit anywhere in the data directory: the store starts, serves nothing wrong, says what
// it lost, and serves the rest.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "tests/crash/child.h"
#include "tests/crash/oracle.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRequests = 40;
// What one file can hold at most: a segment of a partition (SmallStore).
constexpr uint64_t kRequestsPerFileMax = 20;

uint64_t FlipsPerFile() {
  const char* const text = std::getenv("LARDER_CRASH_SHARE");
  return text != nullptr ? std::max<uint64_t>(1, std::strtoull(text, nullptr, 10)) : 4;
}

class BitFlip : public testing::Test {
 protected:
  // A directory as a crash would leave it: closed and open partitions, indexes, merged segments,
  // and a journal that holds spans.
  void MakeDirectory() {
    auto store = Store::Open(SmallStore(scratch_.File("original"), &clock_));
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    for (uint64_t number = 0; number < kRequests; ++number) {
      oracle_.Attempted(number);
      const std::string request = NumberedRequest(number);
      ASSERT_TRUE((*store)->Write({.otlp = request}).status.ok());
      oracle_.Acknowledged(number);
      if (number + 4 >= kRequests) continue;
      const Status moved = number % 12 == 11 ? (*store)->Settle()
                           : number % 4 == 3 ? (*store)->Flush()
                                             : Status::Ok();
      ASSERT_TRUE(moved.ok()) << moved.ToString();
    }
    fs::copy(scratch_.File("original"), scratch_.File("base"), fs::copy_options::recursive);
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    const fs::path base = scratch_.File("base");
    for (const auto& entry : fs::recursive_directory_iterator(base)) {
      const std::string name = entry.path().lexically_relative(base).string();
      if (entry.is_regular_file() && name != "RESERVE" && entry.file_size() > 0) {
        files.push_back(name);
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  void FlipAndCheck(const std::string& file, uint64_t bit) {
    SCOPED_TRACE(file + " bit " + std::to_string(bit));
    const fs::path work = scratch_.File("work");
    fs::remove_all(work);
    fs::copy(scratch_.File("base"), work, fs::copy_options::recursive);
    {
      std::fstream bytes(work / file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(static_cast<std::streamoff>(bit / 8));
      const auto byte = static_cast<char>(bytes.get() ^ (1 << (bit % 8)));
      bytes.seekp(static_cast<std::streamoff>(bit / 8));
      bytes.put(byte);
    }
    auto store = Store::Open(SmallStore(work.string(), &clock_));
    if (file == "FORMAT" && store.status().code() == StatusCode::kFailedPrecondition) return;
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    EXPECT_TRUE((*store)->stats().writable);
    Oracle::Allowance allowance;
    allowance.may_be_damaged = true;
    for (const std::string& difference : oracle_.Check(store->get(), allowance)) {
      ADD_FAILURE() << difference;
    }
    const uint64_t missing = kRequests - oracle_.present();
    EXPECT_LE(missing, kRequestsPerFileMax);
    if (missing == 0) return;
    ++losses_;
    std::vector<std::string> faults;
    EXPECT_TRUE((*store)->Verify(&faults).ok());
    EXPECT_TRUE(!faults.empty() || (*store)->stats().records_set_aside > 0)
        << missing << " requests are missing and nothing says so";
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  Oracle oracle_;
  uint64_t losses_ = 0;
};

TEST_F(BitFlip, IsSeenWhereverItIs) {
  MakeDirectory();
  Random random(TestSeed());
  uint64_t flips = 0;
  for (const std::string& file : Files()) {
    const uint64_t bits = fs::file_size(fs::path(scratch_.File("base")) / file) * 8;
    for (uint64_t i = 0; i < FlipsPerFile() && !HasFailure(); ++i, ++flips) {
      FlipAndCheck(file, random.Next() % bits);
    }
  }
  std::printf("%llu flipped bits in %zu files; %llu of them lost something, and said so\n",
              static_cast<unsigned long long>(flips), Files().size(),
              static_cast<unsigned long long>(losses_));
  EXPECT_GT(losses_, 0u);
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  if (std::getenv("LARDER_CRASH_LOG") == nullptr) {  // hundreds of expected complaints
    larder::SetLogSink(
        [](larder::LogLevel, std::string_view, std::initializer_list<larder::LogField>) {});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
