// What must never go (clocks that jump), what must go (a disk cap under load), and who is refused.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "storage/engine/catalog/catalog.h"
#include "storage/kv/kv_store.h"
#include "tests/crash/child.h"
#include "tests/crash/oracle.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kHourNs = 3600 * kSecondNs;
constexpr uint64_t kYearNs = 365 * 24 * kHourNs;

uint64_t DirectoryBytes(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code gone;  // files come and go while we look
  for (const auto& entry : fs::recursive_directory_iterator(path, gone)) {
    const uint64_t size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    if (!gone && entry.path().filename() != "RESERVE") bytes += size;
  }
  return bytes;
}

class Retention : public testing::Test {
 protected:
  Retention() : options_(SmallStore(scratch_.File("data"), &clock_)) {}

  void Open() {
    store_.reset();
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }
  void WriteSome(int count) {
    for (int i = 0; i < count; ++i) {
      const uint64_t number = oracle_.next_number();
      oracle_.Attempted(number);
      const std::string request = NumberedRequest(number);
      const WriteResult result = store_->Write({.otlp = request});
      ASSERT_TRUE(result.status.ok()) << result.status.ToString();
      oracle_.Acknowledged(number);
    }
  }
  void ExpectAllThere(const char* when) {
    ASSERT_TRUE(store_->Settle().ok());
    for (const std::string& difference : oracle_.Check(store_.get())) {
      ADD_FAILURE() << when << ": " << difference;
    }
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  Oracle oracle_;
};

TEST_F(Retention, NoJumpOfTheClockDropsLiveData) {
  options_.retention_ms = 24 * 3600 * 1000;
  Open();
  const uint64_t start_ns = clock_.NowUnixNanos();
  const uint64_t jumps[] = {start_ns + kYearNs,
                            start_ns - kYearNs,
                            start_ns,
                            start_ns - kHourNs,
                            start_ns + 10 * kYearNs,
                            0,
                            start_ns};
  for (const uint64_t jump : jumps) {
    WriteSome(20);
    clock_.SetUnixNanos(jump);
    clock_.Advance(60 * kSecondNs);
    ExpectAllThere("after a jump");
    Open();
    clock_.Advance(60 * kSecondNs);
    ExpectAllThere("after a jump and a restart");
  }
  EXPECT_EQ(store_->stats().partitions_dropped, 0u);
}

TEST_F(Retention, AWrongClockAtTheStartDropsNothing) {
  options_.retention_ms = 24 * 3600 * 1000;
  Open();
  WriteSome(40);
  ExpectAllThere("written");
  store_.reset();
  clock_.SetUnixNanos(clock_.NowUnixNanos() + kYearNs);
  Open();
  clock_.Advance(kHourNs);
  ExpectAllThere("an hour with a clock a year ahead");
  // The data is old in the end, whatever the clock says.
  for (int i = 0; i < 30; ++i) {
    clock_.Advance(kHourNs);
    ASSERT_TRUE(store_->Settle().ok());
  }
  EXPECT_EQ(store_->stats().stored_rows, 0u);
}

TEST_F(Retention, TheDiskCapHoldsUnderLoad) {
  constexpr uint64_t kCap = 256 << 10;
  constexpr uint64_t kPartition = 16 << 10;
  options_.disk_bytes_max = kCap;
  options_.partition_bytes_max = kPartition;
  options_.partition_rows_max = 1 << 30;
  Open();
  uint64_t most_bytes = 0;
  for (int round = 0; round < 150; ++round) {
    WriteSome(100);
    ASSERT_TRUE(store_->Flush().ok());
    ASSERT_TRUE(store_->Settle().ok());
    // The database's own logs and manifest come on top.
    most_bytes = std::max(most_bytes, DirectoryBytes(options_.data_dir));
    EXPECT_LE(store_->stats().stored_bytes, kCap);
  }
  EXPECT_GT(store_->stats().partitions_dropped, 0u);
  EXPECT_LE(most_bytes, kCap + kPartition + (1 << 20));
  Oracle::Allowance allowance;
  const uint64_t last = oracle_.next_number();
  allowance.may_be_gone = [last](uint64_t number) { return number + 1000 < last; };
  for (const std::string& difference : oracle_.Check(store_.get(), allowance)) {
    ADD_FAILURE() << difference;
  }
  std::printf("at most %llu KiB on disk under a cap of %llu KiB, %llu partitions dropped\n",
              static_cast<unsigned long long>(most_bytes >> 10),
              static_cast<unsigned long long>(kCap >> 10),
              static_cast<unsigned long long>(store_->stats().partitions_dropped));
}

TEST_F(Retention, AReaderOfADroppedPartitionFinishes) {
  options_.retention_ms = 3600 * 1000;
  Open();
  WriteSome(40);
  ASSERT_TRUE(store_->Settle().ok());
  TraceQuery query;
  query.filter.op = FilterOp::kTrue;
  auto cursor = store_->FindTraces(query, {});
  auto first = cursor->Next();
  ASSERT_TRUE(first.ok());
  ASSERT_FALSE(first->end);
  clock_.Advance(25 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  clock_.Advance(2 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().stored_rows, 0u);
  uint64_t chunks = 1;
  for (;; ++chunks) {
    auto chunk = cursor->Next();
    ASSERT_TRUE(chunk.ok()) << chunk.status().ToString();
    if (chunk->end) break;
  }
  EXPECT_GE(chunks, 44u);
  EXPECT_TRUE(cursor->gaps().empty());
}

TEST_F(Retention, ANewerFormatIsRefusedUntouched) {
  Open();
  WriteSome(20);
  store_.reset();
  std::ofstream(options_.data_dir + "/FORMAT") << "larder " << kFormatVersion + 1 << "\n";
  EXPECT_EQ(Store::Open(options_).status().code(), StatusCode::kFailedPrecondition);
  std::ofstream(options_.data_dir + "/FORMAT") << "larder 1\n";
  {
    auto kv = KvStore::Open({.path = options_.data_dir + "/db"});
    ASSERT_TRUE(kv.ok());
    const std::string newer = EncodeRecord(CatalogMeta{.format_version = kFormatVersion + 1});
    ASSERT_TRUE((*kv)->Commit(*(*kv)->default_family(), {{.key = "meta", .value = newer}}).ok());
  }
  const Status refused = Store::Open(options_).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << refused.ToString();
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  larder::SetLogToStderr(larder::LogLevel::kError, larder::LogFormat::kText);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
