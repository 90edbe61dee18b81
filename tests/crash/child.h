// A process that writes into a store until it is killed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/engine/store.h"
#include "storage/query/cold/cold_tier.h"
#include "tests/crash/oracle.h"
#include "tests/support/fake_clock.h"

namespace larder {

enum class ChildScript : uint8_t {
  kSteps,    // one writer that also flushes, merges and closes, in a fixed order
  kExpire,   // the same, with partitions that expire
  kLimits,   // the same, with a tenant that has a retention of its own and one that has a quota
  kThreads,  // several writers, until it is killed
  kRecover,  // opens, settles, ends
  kTier,     // one writer, with a cold tier where partitions go soon
  kRecoverLimits,  // the same, with the limits of kLimits
};

struct ChildRun {
  ChildScript script = ChildScript::kSteps;
  std::string data_dir;
  uint64_t first_number = 0;
  std::string crash_at;        // LARDER_CRASH_AT; empty: not armed
  uint64_t kill_after_us = 0;  // 0: wait until it ends
};

// Runs this program again as a child, and notes what it attempted and what was acknowledged. It
// writes to several data sets (Oracle::UseTenants) and, in steps, purges one.
// True when it ended by itself, false when it was killed.
bool RunChild(const ChildRun& run, Oracle* oracle);

// The child's part: to be called by main when it is given "--child". Never returns.
[[noreturn]] void ChildMain(int argc, char** argv);

// Options of every store of these tests: small, so that much happens. `clock` may be null.
StoreOptions SmallStore(const std::string& data_dir, FakeClock* clock);
// The directory that is the cold tier of a store, when it has one.
std::string TierPath(const std::string& data_dir);
// Makes `options` use it. The tier must outlive the store.
std::unique_ptr<ColdTier> UseTier(const std::string& data_dir, FakeClock* clock,
                                  StoreOptions* options);
// What kLimits has besides: tenant 0 a quota, the tenant of kLimitedDataSet a retention.
void LimitTenants(StoreOptions* options);
// Requests that may be gone under kExpire, or kLimits, when `last` is the last one attempted.
bool MayHaveExpired(uint64_t number, uint64_t last);
bool MayBeAboveLimits(uint64_t number, uint64_t last);

}  // namespace larder
