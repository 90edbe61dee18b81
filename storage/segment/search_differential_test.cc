// Random filters over random spans: every SpanSource against the naive evaluator.
#include <algorithm>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/filter_generator.h"
#include "tests/support/map_page_store.h"
#include "tests/support/reference_evaluator.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

// The spans of a source, decoded, in row order.
std::vector<Span> DecodeRows(const SpanSource& source) {
  class Decoder : public SpanSource::RowVisitor {
   public:
    bool Visit(uint32_t, std::string_view resource, std::string_view scope,
               std::string_view span) override {
      writer.Add(resource, scope, span);
      auto decoded = DecodeSpans(writer.Finish());
      EXPECT_TRUE(decoded.ok());
      spans.push_back(std::move(decoded).value().at(0));
      return true;
    }
    TracesDataWriter writer;
    std::vector<Span> spans;
  };
  std::vector<uint32_t> rows(source.row_count());
  for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
  Decoder decoder;
  EXPECT_TRUE(source.EncodeRows(rows, &decoder).ok());
  return decoder.spans;
}

std::vector<uint32_t> Naive(const std::vector<Span>& spans, const FilterNode& filter,
                            TimeRange range) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < spans.size(); ++row) {
    if (range.contains(spans[row].start_ns) && ReferenceMatches(filter, spans[row])) {
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<uint32_t> Searched(const SpanSource& source, const std::vector<Span>& spans,
                               const FilterNode& filter, TimeRange range) {
  std::vector<uint32_t> rows;
  auto search = source.Search(filter, range, SearchBudget::Unbounded());
  EXPECT_TRUE(search.ok()) << search.status().ToString();
  std::vector<uint32_t> blocks = (*search)->candidate_blocks();
  std::sort(blocks.begin(), blocks.end());
  for (const uint32_t block : blocks) {
    std::vector<SpanMatch> matches;
    const Status matched = (*search)->Match(block, &matches);
    EXPECT_TRUE(matched.ok()) << matched.ToString();
    for (const SpanMatch& match : matches) {
      EXPECT_LE(match.start_ns, (*search)->latest_start_ns(block));
      EXPECT_EQ(match.start_ns, spans.at(match.row).start_ns);
      EXPECT_EQ(match.trace_id, spans.at(match.row).trace_id);
      rows.push_back(match.row);
    }
  }
  return rows;
}

void ExpectSame(const SpanSource& source, uint64_t seed, int questions) {
  const std::vector<Span> spans = DecodeRows(source);
  ASSERT_EQ(spans.size(), source.row_count());
  ASSERT_FALSE(spans.empty());
  Random random(seed);
  FilterGenerator filters(&random, &spans);
  int found = 0;
  for (int question = 0; question < questions; ++question) {
    FilterNode filter;
    TimeRange range = filters.Range();
    if (random.OneIn(3)) {
      const LegacySearch search = filters.Legacy();
      filter = LowerLegacySearch(search);
      range = search.start;
    } else {
      filter = filters.Tree(static_cast<uint32_t>(random.Below(4)));
    }
    const std::vector<uint32_t> expected = Naive(spans, filter, range);
    ASSERT_EQ(Searched(source, spans, filter, range), expected)
        << "question " << question << ": " << FilterToText(filter);
    found += expected.empty() ? 0 : 1;
  }
  // The questions must have something to find, or this test tests nothing.
  EXPECT_GT(found * 5, questions);
}

std::shared_ptr<SpanTable> MakeTable(Random* random, uint32_t span_count) {
  auto table = std::make_shared<SpanTable>();
  SpanGenerator generator(random);
  for (uint32_t added = 0; added < span_count;) {
    const auto batch = static_cast<uint32_t>(random->Between(1, 200));
    EXPECT_TRUE(table->Append(EncodeSpans(generator.Batch(batch)), {}).ok());
    added += batch;
  }
  table->Publish();
  return table;
}

TEST(SearchDifferential, SmallHeads) {
  const uint64_t seed = TestSeed();
  Random random(seed);
  for (int round = 0; round < 30; ++round) {
    const auto table = MakeTable(&random, static_cast<uint32_t>(random.Between(1, 60)));
    ExpectSame(*MakeTableSource(table), random.Next(), 60);
  }
}

TEST(SearchDifferential, HeadOfSeveralBlocks) {
  Random random(TestSeed());
  ExpectSame(*MakeTableSource(MakeTable(&random, 3000)), random.Next(), 60);
}

TEST(SearchDifferential, SmallSegments) {
  Random random(TestSeed());
  PageCache cache(64 << 20);
  for (int round = 0; round < 30; ++round) {
    const auto table = MakeTable(&random, static_cast<uint32_t>(random.Between(1, 60)));
    ExpectSame(*StoreSegment(*table, {}, &cache), random.Next(), 60);
  }
}

TEST(SearchDifferential, SegmentOfSeveralBlocks) {
  Random random(TestSeed());
  PageCache cache(64 << 20);
  ExpectSame(*StoreSegment(*MakeTable(&random, 3000), {}, &cache), random.Next(), 150);
}

// More than a page of rows, and values of every coding: a flood of keys, ids, numbers.
TEST(SearchDifferential, SegmentOfSeveralPages) {
  Random random(TestSeed());
  PageCache cache(64 << 20);
  SpanTable table;
  SpanGenerator generator(&random, {.services = 3, .open_traces = 100, .attributes_max = 3});
  for (uint32_t number = 0; number < 10'000;) {
    std::vector<Span> spans = generator.Batch(100);
    for (Span& span : spans) {
      ++number;
      span.attributes.push_back({"id", ValueType::kString, std::to_string(random.Next())});
      span.attributes.push_back(
          {"number", ValueType::kInt, IntPayload(static_cast<int64_t>(random.Below(1 << 20)))});
      span.attributes.push_back(
          {"real", ValueType::kDouble, DoublePayload(static_cast<double>(random.Below(1 << 20)))});
      if (random.OneIn(3)) {
        const std::string key = "flood." + std::to_string(random.Below(3000));
        span.attributes.push_back({key, ValueType::kString, std::to_string(random.Below(5))});
      }
      // A clock that is hours off.
      if (random.OneIn(500)) span.start_ns += 10'000'000'000'000;
    }
    ASSERT_TRUE(table.Append(EncodeSpans(spans), {}).ok());
  }
  table.Publish();
  ExpectSame(*StoreSegment(table, {}, &cache), random.Next(), 40);
}

// A flipped bit in any page of the index: the answer is right all the same, or names the page.
TEST(SearchDifferential, BrokenIndexPages) {
  Random random(TestSeed());
  MapPageStore store;
  ASSERT_TRUE(WriteSegment(*MakeTable(&random, 1500), {}, {}, &store).ok());
  PageCache cache(0);
  const auto whole = Segment::Open(store.Source(), &cache).value();
  const std::vector<Span> spans = DecodeRows(*whole);
  FilterGenerator filters(&random, &spans);
  int refused = 0;
  for (auto& [key, bytes] : store.pages()) {
    if (key.section != Section::kIndex) continue;
    const std::string intact = bytes;
    char& byte = bytes[random.Below(bytes.size())];
    byte = static_cast<char>(byte ^ (1 << random.Below(8)));
    const auto segment = Segment::Open(store.Source(), &cache).value();
    for (int question = 0; question < 12; ++question) {
      const FilterNode filter = filters.Tree(2);
      const auto search = segment->Search(filter, {}, SearchBudget::Unbounded());
      if (search.ok()) {
        EXPECT_EQ(Searched(*segment, spans, filter, {}), Naive(spans, filter, {}));
        continue;
      }
      ++refused;
      EXPECT_EQ(search.status().code(), StatusCode::kDataLoss);
      EXPECT_NE(search.status().ToString().find(key.ToString()), std::string::npos)
          << search.status().ToString();
    }
    bytes = intact;
  }
  EXPECT_GT(refused, 0);
}

TEST(SearchDifferential, SnapshotsShowWhatWasPublished) {
  Random random(TestSeed());
  auto table = std::make_shared<SpanTable>();
  SpanGenerator generator(&random);
  const TableSnapshots snapshots(table);
  std::vector<std::shared_ptr<const SpanSource>> sources;
  std::vector<size_t> operations;
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(table->Append(EncodeSpans(generator.Batch(150)), {}).ok());
    const uint32_t before = table->published_rows();
    EXPECT_EQ(snapshots.Take()->row_count(), before);  // not published yet
    table->Publish();
    sources.push_back(snapshots.Take());
    EXPECT_EQ(sources.back()->row_count(), table->published_rows());
    std::vector<ServiceOperation> now;
    ASSERT_TRUE(sources.back()->Operations(&now).ok());
    operations.push_back(now.size());
  }
  for (size_t i = 0; i < sources.size(); ++i) {
    std::vector<ServiceOperation> now;
    ASSERT_TRUE(sources[i]->Operations(&now).ok());
    EXPECT_EQ(now.size(), operations[i]);
    const std::vector<Span> spans = DecodeRows(*sources[i]);
    const std::vector<uint32_t> all = Naive(spans, {}, {});
    EXPECT_EQ(Searched(*sources[i], spans, {}, {}), all);
    std::vector<uint32_t> rows;
    ASSERT_TRUE(sources[i]->FindTrace(spans.back().trace_id, &rows).ok());
    for (const uint32_t row : rows) EXPECT_LT(row, sources[i]->row_count());
    EXPECT_EQ(rows.back(), spans.size() - 1);
  }
}

}  // namespace
}  // namespace larder
