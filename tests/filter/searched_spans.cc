#include "tests/filter/searched_spans.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "storage/model/table/span_table.h"
#include "storage/segment/segment.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

std::shared_ptr<SpanTable> TableOf(const std::vector<Span>& spans) {
  auto table = std::make_shared<SpanTable>();
  LARDER_CHECK(table->Append(EncodeSpans(spans), {}).ok());
  table->Publish();
  return table;
}

class RowDecoder : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t /*row*/, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    writer_.Add(resource, scope, span);
    auto decoded = DecodeSpans(writer_.Finish());
    LARDER_CHECK(decoded.ok());
    spans.push_back(std::move(decoded).value().at(0));
    return true;
  }
  std::vector<Span> spans;

 private:
  TracesDataWriter writer_;
};

}  // namespace

std::shared_ptr<const SpanSource> HeadOf(const std::vector<Span>& spans) {
  return MakeTableSource(TableOf(spans));
}

std::shared_ptr<const SpanSource> SegmentOf(const std::vector<Span>& spans, PageCache* cache) {
  return StoreSegment(*TableOf(spans), {}, cache);
}

std::vector<Span> RowsOf(const SpanSource& source) {
  std::vector<uint32_t> rows(source.row_count());
  std::iota(rows.begin(), rows.end(), 0U);
  RowDecoder decoder;
  LARDER_CHECK(source.EncodeRows(rows, &decoder).ok());
  return std::move(decoder.spans);
}

Result<std::vector<uint32_t>> SearchedRows(const SpanSource& source, const FilterNode& filter,
                                           TimeRange range) {
  LARDER_ASSIGN_OR_RETURN(const auto search,
                          source.Search(filter, range, SearchBudget::Unbounded()));
  std::vector<uint32_t> blocks = search->candidate_blocks();
  std::sort(blocks.begin(), blocks.end());
  std::vector<uint32_t> rows;
  for (const uint32_t block : blocks) {
    std::vector<SpanMatch> matches;
    LARDER_RETURN_IF_ERROR(search->Match(block, &matches));
    for (const SpanMatch& match : matches) rows.push_back(match.row);
  }
  return rows;
}

}  // namespace larder
