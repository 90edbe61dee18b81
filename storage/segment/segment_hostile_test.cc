// Segments whose pages hold anything, checksums right: the reader answers or fails, within bounds.
// What segment_fuzz.cc looks for at length, this looks for in every test run.
#include <algorithm>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/segment/page/page.h"
#include "storage/segment/page/page_writer.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

using Pages = std::map<PageKey, std::string>;

Pages WholeSegment(uint64_t seed) {
  Random random(seed);
  SpanTable table;
  const auto spans = SpanGenerator(&random, {.hostile_one_in = 3}).Batch(300);
  EXPECT_TRUE(table.Append(EncodeSpans(spans), {}).ok());
  table.Publish();
  MapPageStore store;
  EXPECT_TRUE(WriteSegment(table, {.segment_id = 1}, {}, &store).ok());
  return store.pages();
}

std::string BodyOf(const Pages& pages, PageKey key) {
  std::string body;
  EXPECT_TRUE(DecodePage(key, pages.at(key), &body).ok());
  return body;
}

std::string PageOfBody(PageKey key, std::string_view body) {
  PageWriter writer(1);
  writer.Add(key, body);
  MapPageStore store;
  EXPECT_TRUE(writer.Flush(&store).ok());
  return store.pages().at(key);
}

// A body with some bytes changed, taken out or put in, or another page's body.
std::string Mangle(const Pages& pages, std::string body, Random* random) {
  if (random->OneIn(8)) {
    const auto other =
        std::next(pages.begin(), static_cast<ptrdiff_t>(random->Below(pages.size())));
    return BodyOf(pages, other->first);
  }
  for (uint64_t changes = random->Between(1, 3); changes > 0 && !body.empty(); --changes) {
    // The counts in front decide most.
    const size_t at = random->OneIn(2) ? random->Below(std::min<size_t>(body.size(), 24))
                                       : random->Below(body.size());
    switch (random->Below(4)) {
      case 0:
        body[at] = static_cast<char>(random->Next());
        break;
      case 1:
        body[at] = static_cast<char>(body[at] + (random->OneIn(2) ? 1 : -1));
        break;
      case 2:
        body.erase(at, random->Between(1, 4));
        break;
      default:
        body.insert(at, 1, static_cast<char>(random->OneIn(2) ? 0xff : random->Below(3)));
    }
  }
  return body;
}

class Ignore : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view, std::string_view, std::string_view span) override {
    bytes += span.size();
    return true;
  }
  uint64_t bytes = 0;
};

void ExpectAnswerOrFailure(const Status& status) {
  EXPECT_TRUE(status.ok() || status.code() == StatusCode::kDataLoss) << status.ToString();
}

void ReadEverything(const Segment& segment) {
  std::vector<uint32_t> rows(std::min(segment.row_count(), 400u));
  for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
  Ignore visitor;
  ExpectAnswerOrFailure(segment.EncodeRows(rows, &visitor));
  std::vector<SpanFacts> facts;
  ExpectAnswerOrFailure(segment.Facts(rows, &facts));
  std::vector<TraceId> ids;
  ExpectAnswerOrFailure(segment.TraceIds(0, 400, &ids));
  std::vector<uint32_t> found;
  for (size_t i = 0; i < ids.size(); i += 50)
    ExpectAnswerOrFailure(segment.FindTrace(ids[i], &found));
  std::vector<ServiceOperation> operations;
  ExpectAnswerOrFailure(segment.Operations(&operations));
  std::vector<EdgeCount> edges;
  ExpectAnswerOrFailure(segment.Edges(&edges));
  std::vector<TraceIndexEntry> entries;
  ExpectAnswerOrFailure(segment.TraceEntries(&entries));
  std::vector<std::string> faults;
  EXPECT_TRUE(segment.Verify(&faults).ok());
}

void Search(const Segment& segment, const FilterNode& filter) {
  const auto search = segment.Search(filter, {}, SearchBudget::Unbounded());
  if (!search.ok()) return ExpectAnswerOrFailure(search.status());
  std::vector<SpanMatch> matches;
  for (const uint32_t block : (*search)->candidate_blocks()) {
    const Status status = (*search)->Match(block, &matches);
    ExpectAnswerOrFailure(status);
    if (!status.ok()) return;
  }
}

TEST(SegmentHostileTest, AnyBodyIsAnsweredOrRefused) {
  const uint64_t seed = TestSeed();
  Random random(seed);
  const Pages whole = WholeSegment(seed);
  const FilterNode service = LowerLegacySearch({.service = "service-1",
                                                .operation = "",
                                                .start = {},
                                                .attributes = {{"http.method", {.text = "GET"}}}});
  PageCache cache(8 << 20);
  for (int round = 0; round < 1500; ++round) {
    MapPageStore store;
    store.pages() = whole;
    const auto page =
        std::next(store.pages().begin(), static_cast<ptrdiff_t>(random.Below(whole.size())));
    page->second = PageOfBody(page->first, Mangle(whole, BodyOf(whole, page->first), &random));
    const auto segment = Segment::Open(store.Source(), &cache);
    if (!segment.ok()) {
      // A version that is newer is refused as such.
      EXPECT_TRUE(segment.status().code() == StatusCode::kDataLoss ||
                  segment.status().code() == StatusCode::kFailedPrecondition);
      continue;
    }
    ReadEverything(**segment);
    Search(**segment, {});
    Search(**segment, service);
  }
}

}  // namespace
}  // namespace larder
