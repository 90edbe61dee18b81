// kill -9 at every step and at random times.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "storage/base/log.h"
#include "tests/crash/child.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

// How much of the sweep is done: LARDER_CRASH_SHARE of 100 percent, 15 in everyday runs.
uint64_t Share() {
  const char* const text = std::getenv("LARDER_CRASH_SHARE");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 15;
}

struct Counts {
  uint64_t kills = 0;
  uint64_t kills_at_start = 0;
  uint64_t acknowledged = 0;
  // Seen to be gone, by the child.
  uint64_t gone_by_retention = 0;
  uint64_t gone_by_quota = 0;
};

void CheckStore(const std::string& data_dir, ChildScript script, const Oracle& oracle,
                const Oracle::Allowance& allowance) {
  FakeClock clock;
  StoreOptions options = SmallStore(data_dir, &clock);
  std::unique_ptr<ColdTier> tier;
  if (std::filesystem::exists(TierPath(data_dir))) tier = UseTier(data_dir, &clock, &options);
  if (script == ChildScript::kLimits) LimitTenants(&options);
  auto store = Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status().ToString();
  EXPECT_TRUE((*store)->stats().writable) << (*store)->stats().not_writable_reason;
  for (const std::string& difference : oracle.Check(store->get(), allowance)) {
    ADD_FAILURE() << difference;
  }
  ASSERT_TRUE((*store)->Settle().ok());
  for (const std::string& difference : oracle.Check(store->get(), allowance)) {
    ADD_FAILURE() << "settled: " << difference;
  }
}

// Kills a child at its n-th crash point, a second one while it recovers, and looks at what is left.
// False when the child came to its end before.
bool KillAt(uint64_t n, ChildScript script, Random* random, Counts* counts) {
  const ScratchDirectory scratch;
  Oracle oracle;
  oracle.UseTenants();
  ChildRun run;
  run.script = script;
  run.data_dir = scratch.File("data");
  run.crash_at = "*:" + std::to_string(n);
  if (RunChild(run, &oracle)) return false;
  ++counts->kills;
  ChildRun again;
  again.script =
      script == ChildScript::kLimits ? ChildScript::kRecoverLimits : ChildScript::kRecover;
  again.data_dir = run.data_dir;
  again.crash_at = "*:" + std::to_string(1 + random->Next() % 12);
  if (!RunChild(again, &oracle)) ++counts->kills_at_start;
  counts->acknowledged += oracle.acknowledged().size();
  for (const uint64_t number : oracle.gone()) {
    ++(number % kDataSets == kLimitedDataSet ? counts->gone_by_retention : counts->gone_by_quota);
  }
  const uint64_t last = oracle.next_number();
  Oracle::Allowance allowance;
  allowance.oldest_go_first = true;
  if (script == ChildScript::kExpire) {
    allowance.may_be_gone = [last](uint64_t number) { return MayHaveExpired(number, last); };
  } else if (script == ChildScript::kLimits) {
    allowance.may_be_gone = [last](uint64_t number) { return MayBeAboveLimits(number, last); };
  }
  SCOPED_TRACE("killed at " + run.crash_at + ", then at " + again.crash_at);
  CheckStore(run.data_dir, script, oracle, allowance);
  return true;
}

Counts Sweep(ChildScript script) {
  Random random(TestSeed());
  Counts counts;
  const uint64_t stride = 100 / std::max<uint64_t>(1, std::min<uint64_t>(Share(), 100));
  uint64_t n = 1 + random.Next() % stride;
  while (KillAt(n, script, &random, &counts) && !testing::Test::HasFailure()) n += stride;
  std::printf(
      "killed at %llu of %llu steps, %llu times again in the start after it; %llu"
      " acknowledged requests, all there\n",
      static_cast<unsigned long long>(counts.kills), static_cast<unsigned long long>(n - 1),
      static_cast<unsigned long long>(counts.kills_at_start),
      static_cast<unsigned long long>(counts.acknowledged));
  EXPECT_GT(counts.kills, 5u);
  return counts;
}

TEST(Kill, AtEveryStep) { Sweep(ChildScript::kSteps); }

TEST(Kill, AtEveryStepWhilePartitionsExpire) { Sweep(ChildScript::kExpire); }

TEST(Kill, AtEveryStepOnTheWayToTheColdTier) { Sweep(ChildScript::kTier); }

TEST(Kill, AtEveryStepWhileTenantsLoseWhatIsAboveTheirLimits) {
  const Counts counts = Sweep(ChildScript::kLimits);
  std::printf("seen gone by a retention %llu times, by a quota %llu times, and never back\n",
              static_cast<unsigned long long>(counts.gone_by_retention),
              static_cast<unsigned long long>(counts.gone_by_quota));
  EXPECT_GT(counts.gone_by_retention, 0u);
  EXPECT_GT(counts.gone_by_quota, 0u);
}

TEST(Kill, AtAnyTimeUnderLoad) {
  Random random(TestSeed());
  const uint64_t directories = std::max<uint64_t>(1, Share() / 10);
  uint64_t cycles = 0;
  uint64_t acknowledged = 0;
  for (uint64_t i = 0; i < directories && !HasFailure(); ++i) {
    const ScratchDirectory scratch;
    Oracle oracle;
    oracle.UseTenants();
    for (int cycle = 0; cycle < 8 && !HasFailure(); ++cycle, ++cycles) {
      ChildRun run;
      run.script = ChildScript::kThreads;
      run.data_dir = scratch.File("data");
      run.first_number = oracle.next_number();
      run.kill_after_us = 20'000 + random.Next() % 200'000;
      EXPECT_FALSE(RunChild(run, &oracle));
      CheckStore(run.data_dir, run.script, oracle, {});
    }
    acknowledged += oracle.acknowledged().size();
  }
  std::printf("%llu kills under load; %llu acknowledged requests, all there\n",
              static_cast<unsigned long long>(cycles),
              static_cast<unsigned long long>(acknowledged));
  EXPECT_GT(acknowledged, 0u);
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--child") larder::ChildMain(argc, argv);
  // A kill loses nothing that the kernel has, so a disk in memory shows as much as a slow one.
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  larder::SetLogToStderr(larder::LogLevel::kError, larder::LogFormat::kText);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
