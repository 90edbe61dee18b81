// The corpora of the cases file in heads and segments, and what every evaluator finds in them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/query.h"
#include "tests/filter/cases_file.h"
#include "tests/filter/searched_spans.h"

namespace larder {

class SearchedCases : public testing::Test {
 protected:
  SearchedCases();

  // Expects those spans of a corpus, by their ids in hex, of the naive evaluator, of the search
  // over a head and of the search over a segment.
  void Expect(const std::string& corpus, const FilterNode& filter, TimeRange range,
              const std::set<std::string>& span_ids);

  using NamedSource = std::pair<std::string, std::shared_ptr<const SpanSource>>;

  PageCache cache_{1 << 20};
  const CasesFile file_{LARDER_FILTER_CASES};
  std::map<std::string, std::vector<NamedSource>> sources_;  // by corpus
};

}  // namespace larder
