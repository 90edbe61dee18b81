#include "tests/filter/searched_cases.h"

#include "storage/model/table/span_filter.h"
#include "tests/support/reference_evaluator.h"

namespace larder {

SearchedCases::SearchedCases() {
  for (const std::string& name : file_.corpora()) {
    const std::vector<Span> spans = file_.Corpus(name);
    sources_[name] = {{"head", HeadOf(spans)}, {"segment", SegmentOf(spans, &cache_)}};
  }
}

void SearchedCases::Expect(const std::string& corpus, const FilterNode& filter, TimeRange range,
                           const std::set<std::string>& span_ids) {
  std::set<std::string> naive;
  for (const Span& span : file_.Corpus(corpus)) {
    if (range.contains(span.start_ns) && ReferenceMatches(filter, span)) {
      naive.insert(HexText(span.span_id.view()));
    }
  }
  EXPECT_EQ(naive, span_ids) << "naively";
  for (const auto& [name, source] : sources_.at(corpus)) {
    const auto rows = SearchedRows(*source, filter, range);
    ASSERT_TRUE(rows.ok()) << rows.status().ToString();
    const std::vector<Span> spans = RowsOf(*source);
    std::set<std::string> found;
    for (const uint32_t row : *rows) found.insert(HexText(spans.at(row).span_id.view()));
    EXPECT_EQ(found, span_ids) << "by search in a " << name;
  }
}

}  // namespace larder
