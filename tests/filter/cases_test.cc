// Every conformance case, asked of every evaluator: the naive one, a head, a sealed segment.
#include <gtest/gtest.h>

#include "storage/filter/resolve.h"
#include "tests/filter/searched_cases.h"
#include "tests/support/filter_generator.h"

namespace larder {
namespace {

using FilterCases = SearchedCases;

TEST_F(FilterCases, StructuredFilters) {
  size_t refused = 0;
  for (const FilterCase& each : file_.filters()) {
    SCOPED_TRACE(each.id);
    const auto filter = ResolveFilter(each.filter);
    if (!filter.ok()) {
      EXPECT_TRUE(each.is_error || each.may_refuse) << filter.status().ToString();
      EXPECT_EQ(filter.status().code(), StatusCode::kInvalidArgument);
      EXPECT_TRUE(filter.status().message().starts_with("filter")) << filter.status().message();
      ++refused;
      continue;
    }
    if (each.is_error && !each.may_accept) {
      ADD_FAILURE() << "taken: " << FilterToText(*filter);
      continue;
    }
    Expect(each.corpus, *filter, each.range, each.spans);
  }
  EXPECT_GT(refused, 50U);
  EXPECT_GT(file_.filters().size(), 150U);
}

// What jaeger-query makes of a filter before it sends it on means the same.
TEST_F(FilterCases, FinalizedFiltersMeanTheSame) {
  size_t compared = 0;
  for (const FilterCase& each : file_.filters()) {
    if (!each.finalized || each.may_refuse) continue;
    SCOPED_TRACE(each.id);
    const auto filter = ResolveFilter(each.filter);
    const auto finalized = ResolveFilter(*each.finalized);
    ASSERT_TRUE(filter.ok()) << filter.status().ToString();
    ASSERT_TRUE(finalized.ok()) << finalized.status().ToString();
    EXPECT_EQ(FilterToText(*filter), FilterToText(*finalized));
    ++compared;
  }
  EXPECT_GT(compared, 100U);
}

TEST_F(FilterCases, LegacySearches) {
  for (const LegacyCase& each : file_.legacy()) {
    SCOPED_TRACE(each.id);
    Expect(each.corpus, LowerLegacySearch(each.search), each.search.start, each.spans);
  }
  EXPECT_GT(file_.legacy().size(), 20U);
}

}  // namespace
}  // namespace larder
