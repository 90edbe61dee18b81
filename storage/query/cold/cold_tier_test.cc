#include "storage/query/cold/cold_tier.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(PackName, SaysStorePartitionTenantSegmentAndRow) {
  ColdScope scope;
  scope.store = 0xc0ffee00c0ffee;
  scope.partition = 3;
  scope.tenant = 5;
  EXPECT_EQ(PackName(scope, {.segment = 17, .first_row = 4096}),
            "larder-00c0ffee00c0ffee-3-5-17-4096");
}

TEST(PackName, IsShortAtMost) {
  const ColdScope scope{.store = UINT64_MAX, .partition = UINT64_MAX, .tenant = UINT32_MAX};
  EXPECT_LE(PackName(scope, {.segment = UINT64_MAX, .first_row = UINT32_MAX}).size(), 100u);
}

TEST(FiledTimes, SpanWhatIsAdded) {
  FiledTimes times;
  times.Add({.min_s = 10, .max_s = 20});
  times.Add({});
  times.Add({.min_s = 15, .max_s = 30});
  EXPECT_EQ(times, (FiledTimes{.min_s = 10, .max_s = 30}));
}

}  // namespace
}  // namespace larder
