// Every conformance case, asked of every evaluator: the naive one, a head, a sealed segment.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/filter/resolve.h"
#include "storage/model/table/span_filter.h"
#include "tests/filter/cases_file.h"
#include "tests/filter/searched_spans.h"
#include "tests/support/filter_generator.h"
#include "tests/support/reference_evaluator.h"

namespace larder {
namespace {

using Ids = std::set<std::string>;

class FilterCases : public testing::Test {
 protected:
  FilterCases() {
    for (const std::string& name : file_.corpora()) {
      const std::vector<Span> spans = file_.Corpus(name);
      sources_[name] = {{"head", HeadOf(spans)}, {"segment", SegmentOf(spans, &cache_)}};
    }
  }

  void Expect(const std::string& corpus, const FilterNode& filter, TimeRange range,
              const Ids& expected) {
    Ids naive;
    for (const Span& span : file_.Corpus(corpus)) {
      if (range.contains(span.start_ns) && ReferenceMatches(filter, span)) {
        naive.insert(HexText(span.span_id.view()));
      }
    }
    EXPECT_EQ(naive, expected) << "naively";
    for (const auto& [name, source] : sources_.at(corpus)) {
      const auto rows = SearchedRows(*source, filter, range);
      ASSERT_TRUE(rows.ok()) << rows.status().ToString();
      const std::vector<Span> spans = RowsOf(*source);
      Ids found;
      for (const uint32_t row : *rows) found.insert(HexText(spans.at(row).span_id.view()));
      EXPECT_EQ(found, expected) << "by search in a " << name;
    }
  }

  PageCache cache_{1 << 20};
  const CasesFile file_{LARDER_FILTER_CASES};
  std::map<std::string, std::vector<std::pair<std::string, std::shared_ptr<const SpanSource>>>>
      sources_;
};

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
