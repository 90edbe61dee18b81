#include "storage/engine/shelf/retention_clock.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace larder {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kHour = 3600 * kSecond;
constexpr uint64_t kYear = 365 * 24 * kHour;

TEST(RetentionClock, FollowsTimeThatPasses) {
  FakeClock clock;
  RetentionClock age(&clock, 100, clock.NowUnixNanos());
  EXPECT_EQ(age.AgeNanos(), 100u);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 100 + kHour);
}

TEST(RetentionClock, NoJumpWhileRunningAgesAnything) {
  FakeClock clock;
  RetentionClock age(&clock, 0, clock.NowUnixNanos());
  const uint64_t start = clock.NowUnixNanos();
  for (const uint64_t jump :
       {start + kYear, start - kYear, start + 2 * kYear, start, uint64_t{0}}) {
    clock.SetUnixNanos(jump);
    const uint64_t before = age.AgeNanos();
    clock.Advance(kSecond);
    EXPECT_EQ(age.AgeNanos(), before + kSecond);
  }
}

TEST(RetentionClock, TimeWithoutAProcessIsPaidBackAtTheSpeedOfRunningTime) {
  FakeClock clock;
  const uint64_t saved_at = clock.NowUnixNanos();
  clock.Advance(kHour);  // nobody runs
  RetentionClock age(&clock, 0, saved_at);
  EXPECT_EQ(age.AgeNanos(), 0u);
  clock.Advance(kHour / 2);
  EXPECT_EQ(age.AgeNanos(), kHour);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 2 * kHour + kHour / 2);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 3 * kHour + kHour / 2);
}

TEST(RetentionClock, AWrongClockAtStartIsForgottenWhenItIsSetRight) {
  FakeClock clock;
  const uint64_t right = clock.NowUnixNanos();
  clock.SetUnixNanos(right + kYear);
  RetentionClock age(&clock, 0, right);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 2 * kHour);
  clock.SetUnixNanos(right + kHour);
  EXPECT_EQ(age.AgeNanos(), 2 * kHour);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 3 * kHour);
}

TEST(RetentionClock, AClockBehindTheSavedTimeIsNoDebt) {
  FakeClock clock;
  RetentionClock age(&clock, 7, clock.NowUnixNanos() + kYear);
  clock.Advance(kHour);
  EXPECT_EQ(age.AgeNanos(), 7 + kHour);
}

}  // namespace
}  // namespace larder
