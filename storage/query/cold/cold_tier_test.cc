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

TEST(PackName, IsReadBackByItsScopeAlone) {
  const ColdScope scope{.store = 0xc0ffee, .partition = 3, .tenant = 5};
  PackId pack;
  for (const std::string more : {"", "-0", "-12"}) {
    pack = {};
    EXPECT_TRUE(ParsePackName(scope, "larder-0000000000c0ffee-3-5-17-4096" + more, &pack));
    EXPECT_EQ(pack.segment, 17u);
    EXPECT_EQ(pack.first_row, 4096u);
  }
  for (const char* other : {"", "larder-0000000000c0ffee-3-5-", "larder-0000000000c0ffee-3-5-17",
                            "larder-0000000000c0ffee-3-5-17-", "larder-0000000000c0ffee-3-5-17-x",
                            "larder-0000000000c0ffee-3-5-17-1x", "larder-0000000000c0ffee-3-6-17-1",
                            "larder-0000000000c0ffee-3-51-17-1"}) {
    EXPECT_FALSE(ParsePackName(scope, other, &pack)) << other;
  }
}

TEST(ColdScope, WithoutNamedSegmentsHasAny) {
  ColdScope scope;
  EXPECT_TRUE(scope.Has(17));
  scope.segments = std::make_shared<const std::vector<uint64_t>>(std::vector<uint64_t>{18, 7});
  EXPECT_TRUE(scope.Has(7));
  EXPECT_FALSE(scope.Has(17));
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
