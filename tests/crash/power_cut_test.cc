// The power goes, or one call fails, at every call that changes the disk: of RocksDB and of the
// journal, the catalog's file, the locks.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "tests/crash/child.h"
#include "tests/crash/crash_disk.h"
#include "tests/crash/oracle.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

constexpr uint64_t kRequests = 24;

uint64_t Stride() {
  const char* const text = std::getenv("LARDER_CRASH_SHARE");
  const uint64_t share = text != nullptr ? std::strtoull(text, nullptr, 10) : 10;
  return 100 / std::clamp<uint64_t>(share, 1, 100);
}

class Trial {
 public:
  Trial() : options_(SmallStore(scratch_.File("data"), &clock_)) {
    options_.file_system = disk_.files();
    options_.kv_hooks = &disk_;
  }

  CrashDisk& disk() { return disk_; }
  const Oracle& oracle() const { return oracle_; }

  // Writes, seals, merges and closes, whatever fails on the way.
  void Run() {
    auto store = Store::Open(options_);
    if (!store.ok()) return;
    for (uint64_t number = 0; number < kRequests; ++number) {
      oracle_.Attempted(number);
      const std::string request = NumberedRequest(number);
      if ((*store)->Write({.otlp = request}).status.ok()) oracle_.Acknowledged(number);
      if (number % 4 == 3) (void)(*store)->Flush().ok();
      if (number % 12 == 11) (void)(*store)->Settle().ok();
    }
  }
  // The same with time for the store to help itself: it must take writes again in the end.
  void RunUntilHealed() {
    auto store = Store::Open(options_);
    // A start that could not write reads only, or fails when there is nothing to read yet; the next
    // one is to do better.
    if (!store.ok() || !(*store)->stats().writable) {
      if (store.ok()) store->reset();
      store = Store::Open(options_);
      ASSERT_TRUE(store.ok()) << store.status().ToString();
    }
    for (uint64_t number = 0; number < kRequests; ++number) {
      oracle_.Attempted(number);
      const std::string request = NumberedRequest(number);
      if ((*store)->Write({.otlp = request}).status.ok()) oracle_.Acknowledged(number);
      if (number % 4 == 3) (void)(*store)->Flush().ok();
      if (number % 12 == 11) (void)(*store)->Settle().ok();
    }
    disk_.Heal();
    Status settled;
    for (int i = 0; i < 200; ++i) {
      settled = (*store)->Settle();
      if (settled.ok()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      clock_.Advance(1'000'000'000);
    }
    EXPECT_TRUE(settled.ok()) << settled.ToString();
    Expect(store->get(), "before the restart");
  }

  void CheckAfterRestart() {
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    EXPECT_TRUE((*store)->stats().writable) << (*store)->stats().not_writable_reason;
    EXPECT_EQ((*store)->stats().records_set_aside, 0u);
    Expect(store->get(), "after the restart");
  }

 private:
  void Expect(Store* store, const char* when) {
    for (const std::string& difference : oracle_.Check(store)) {
      ADD_FAILURE() << when << ": " << difference;
    }
  }

  const ScratchDirectory scratch_;
  CrashDisk disk_;
  FakeClock clock_;
  StoreOptions options_;
  Oracle oracle_;
};

// What a run without faults calls.
struct Calls {
  uint64_t kv = 0;
  uint64_t files = 0;
};
Calls CountCalls() {
  Trial trial;
  trial.Run();
  return {trial.disk().kv_calls(), trial.disk().file_calls()};
}

using Fault = std::function<void(CrashDisk*, uint64_t call)>;

void CutAt(uint64_t calls, const char* what, const Fault& fault) {
  Random random(TestSeed());
  uint64_t cuts = 0;
  uint64_t acknowledged = 0;
  for (uint64_t n = random.Next() % Stride(); n < calls; n += Stride(), ++cuts) {
    SCOPED_TRACE(std::string("power cut at ") + what + " call " + std::to_string(n));
    Trial trial;
    fault(&trial.disk(), n);
    trial.Run();
    trial.disk().DropUnsynced();
    trial.disk().Heal();
    trial.CheckAfterRestart();
    acknowledged += trial.oracle().acknowledged().size();
    if (testing::Test::HasFailure()) return;
  }
  std::printf("%llu power cuts at %llu %s calls; %llu acknowledged requests, all there\n",
              static_cast<unsigned long long>(cuts), static_cast<unsigned long long>(calls), what,
              static_cast<unsigned long long>(acknowledged));
}

void FailAt(uint64_t calls, const char* what, const Fault& fault) {
  Random random(TestSeed());
  uint64_t failures = 0;
  uint64_t acknowledged = 0;
  for (uint64_t n = random.Next() % Stride(); n < calls; n += Stride(), ++failures) {
    SCOPED_TRACE(std::string("failure of ") + what + " call " + std::to_string(n));
    Trial trial;
    fault(&trial.disk(), n);
    trial.RunUntilHealed();
    trial.disk().Heal();
    trial.CheckAfterRestart();
    acknowledged += trial.oracle().acknowledged().size();
    if (testing::Test::HasFailure()) return;
  }
  std::printf("%llu failures at %llu %s calls; %llu acknowledged requests, all there\n",
              static_cast<unsigned long long>(failures), static_cast<unsigned long long>(calls),
              what, static_cast<unsigned long long>(acknowledged));
}

TEST(PowerCut, AtEveryCallOfRocksDb) {
  CutAt(CountCalls().kv, "RocksDB", [](CrashDisk* disk, uint64_t n) { disk->CutPowerAtKvCall(n); });
}

TEST(PowerCut, AtEveryCallOfTheRest) {
  CutAt(CountCalls().files, "file",
        [](CrashDisk* disk, uint64_t n) { disk->CutPowerAtFileCall(n); });
}

TEST(FailedCall, OfRocksDb) {
  FailAt(CountCalls().kv, "RocksDB", [](CrashDisk* disk, uint64_t n) {
    disk->FailKvCall(n, Status::Unavailable("input/output error of the test"));
  });
}

TEST(FailedCall, OfTheRest) {
  FailAt(CountCalls().files, "file", [](CrashDisk* disk, uint64_t n) {
    disk->FailFileCall(n, Status::Unavailable("input/output error of the test"));
  });
}

TEST(FailedCall, OfTheRestOnAFullDisk) {
  FailAt(CountCalls().files, "full-disk file", [](CrashDisk* disk, uint64_t n) {
    disk->FailFileCall(n, Status::ResourceExhausted("no space in the test"));
  });
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  // What is not synced is dropped by the test itself, so a disk in memory will do.
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  if (std::getenv("LARDER_CRASH_LOG") == nullptr) {  // thousands of expected complaints
    larder::SetLogSink(
        [](larder::LogLevel, std::string_view, std::initializer_list<larder::LogField>) {});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
