#include "storage/segment/segment.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

// A row as it is handed out: resource envelope, scope envelope, span.
using Row = std::tuple<std::string, std::string, std::string>;

constexpr uint64_t kCacheBytes = 32 << 20;

class Collector : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t row, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    numbers.push_back(row);
    rows.emplace_back(resource, scope, span);
    return rows.size() < limit;
  }
  std::vector<uint32_t> numbers;
  std::vector<Row> rows;
  size_t limit = SIZE_MAX;
};

// Random spans in a table, and the segment made of it.
class Fixture {
 public:
  Fixture(uint64_t seed, uint32_t span_count, SpanGeneratorOptions options) {
    Random random(seed);
    SpanGenerator generator(&random, options);
    for (uint32_t left = span_count; left > 0;) {
      const auto batch = static_cast<uint32_t>(std::min<uint64_t>(left, random.Between(1, 400)));
      Append(generator.Batch(batch));
      left -= batch;
    }
    Write({});
  }
  explicit Fixture(const std::vector<Span>& spans, SegmentWriteOptions write_options = {}) {
    Append(spans);
    Write(write_options);
  }

  const SpanTable& table() const { return table_; }
  const Segment& segment() const { return *segment_; }
  MapPageStore& store() { return store_; }
  const SegmentInfo& written() const { return written_; }
  PageCache* cache() { return &cache_; }

  Row TableRow(uint32_t row) const {
    std::string span;
    table_.EncodeSpan(row, &span);
    return {std::string(table_.resource(table_.row(row).resource).envelope),
            std::string(table_.scope(table_.row(row).scope).envelope), span};
  }
  std::vector<Row> TableRows() const {
    std::vector<Row> rows;
    for (uint32_t row = 0; row < table_.published_rows(); ++row) rows.push_back(TableRow(row));
    return rows;
  }
  std::vector<uint32_t> AllRows() const {
    std::vector<uint32_t> rows(segment_->row_count());
    for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
    return rows;
  }
  std::vector<Row> SegmentRows() const {
    Collector collector;
    const Status status = segment_->EncodeRows(AllRows(), &collector);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return collector.rows;
  }

 private:
  void Append(const std::vector<Span>& spans) {
    const auto appended = table_.Append(EncodeSpans(spans), {});
    ASSERT_TRUE(appended.ok()) << appended.status().ToString();
    ASSERT_EQ(appended->rejected_spans, 0u) << appended->first_rejection;
    table_.Publish();
  }
  void Write(const SegmentWriteOptions& options) {
    const SegmentIdentity identity{.segment_id = 42,
                                   .tenant = 7,
                                   .generations = {3, 4},
                                   .replaces = {40},
                                   .arrival_min_ns = 5,
                                   .arrival_max_ns = 6};
    const auto written = WriteSegment(table_, identity, options, &store_);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    written_ = *written;
    auto opened = Segment::Open(store_.Source(), &cache_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    segment_ = *opened;
  }

  PageCache cache_{kCacheBytes};
  SpanTable table_;
  MapPageStore store_;
  SegmentInfo written_;
  std::shared_ptr<const Segment> segment_;
};

void ExpectSameSpans(const Fixture& fixture) {
  std::vector<Row> expected = fixture.TableRows();
  std::vector<Row> found = fixture.SegmentRows();
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(found[i] == expected[i])
        << "found " << testing::PrintToString(std::get<2>(found[i])) << "\nexpected "
        << testing::PrintToString(std::get<2>(expected[i]));
  }
}

// Every trace is found as one run of rows, by start, with the facts that the table has.
void ExpectTraces(const Fixture& fixture) {
  const SpanTable& table = fixture.table();
  std::set<TraceId> ids;
  for (uint32_t row = 0; row < table.published_rows(); ++row) ids.insert(table.row(row).trace_id);
  EXPECT_EQ(fixture.segment().info().trace_count, ids.size());
  for (const TraceId& id : ids) {
    std::vector<uint32_t> expected;
    table.FindTrace(id, &expected);
    std::vector<uint32_t> rows;
    ASSERT_TRUE(fixture.segment().FindTrace(id, &rows).ok());
    ASSERT_EQ(rows.size(), expected.size());
    std::vector<SpanFacts> facts;
    ASSERT_TRUE(fixture.segment().Facts(rows, &facts).ok());
    std::vector<TraceId> found_ids;
    ASSERT_TRUE(
        fixture.segment().TraceIds(rows[0], static_cast<uint32_t>(rows.size()), &found_ids).ok());
    std::multiset<
        std::tuple<SpanId, SpanId, uint64_t, uint64_t, int32_t, std::string_view, std::string_view>>
        left;
    for (const uint32_t row : expected) {
      const SpanRow& span = table.row(row);
      left.emplace(span.span_id, span.parent_span_id, span.start_ns, span.end_ns, span.status_code,
                   table.resource(span.resource).service, table.string(span.name));
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i], rows[0] + i);
      EXPECT_EQ(found_ids[i], id);
      EXPECT_EQ(facts[i].row, rows[i]);
      EXPECT_LE(facts[i == 0 ? 0 : i - 1].start_ns, facts[i].start_ns);
      const auto found =
          left.find({facts[i].span_id, facts[i].parent_span_id, facts[i].start_ns, facts[i].end_ns,
                     facts[i].status_code, facts[i].service, facts[i].name});
      ASSERT_NE(found, left.end());
      left.erase(found);
    }
  }
}

TEST(SegmentTest, RandomTablesComeBackFieldByField) {
  const uint64_t seed = TestSeed();
  for (uint32_t round = 0; round < 30; ++round) {
    SpanGeneratorOptions options;
    options.hostile_one_in = round % 3 == 0 ? 0 : round % 3 == 1 ? 10 : 2;
    const Fixture fixture(seed + round, 1 + round * 20, options);
    ExpectSameSpans(fixture);
    ExpectTraces(fixture);
  }
}

TEST(SegmentTest, ManyPages) {
  const Fixture fixture(TestSeed(), 20'000, {.open_traces = 40, .hostile_one_in = 200});
  ExpectSameSpans(fixture);
  ExpectTraces(fixture);
  std::vector<std::string> faults;
  EXPECT_TRUE(fixture.segment().Verify(&faults).ok());
  EXPECT_EQ(faults, std::vector<std::string>());
}

TEST(SegmentTest, OneTraceOverManyPages) {
  const Fixture fixture(TestSeed(), 20'000,
                        {.open_traces = 1, .spans_per_trace = 1'000'000, .hostile_one_in = 0});
  ExpectSameSpans(fixture);
  ExpectTraces(fixture);
}

TEST(SegmentTest, RowsInAnyOrder) {
  const uint64_t seed = TestSeed();
  const Fixture fixture(seed, 3000, {.hostile_one_in = 20});
  const std::vector<Row> in_order = fixture.SegmentRows();
  std::vector<uint32_t> rows;
  Random random(seed);
  for (int i = 0; i < 300; ++i) rows.push_back(static_cast<uint32_t>(random.Below(3000)));
  Collector collector;
  ASSERT_TRUE(fixture.segment().EncodeRows(rows, &collector).ok());
  EXPECT_EQ(collector.numbers, rows);
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_TRUE(collector.rows[i] == in_order[rows[i]]);
  Collector first;
  first.limit = 1;
  ASSERT_TRUE(fixture.segment().EncodeRows(rows, &first).ok());
  EXPECT_EQ(first.rows.size(), 1u);
}

TEST(SegmentTest, HeaderSaysWhatWasWritten) {
  Fixture fixture(TestSeed(), 500, {});
  const SegmentInfo& info = fixture.segment().info();
  EXPECT_EQ(info.identity.segment_id, 42u);
  EXPECT_EQ(info.identity.tenant, 7u);
  EXPECT_EQ(info.identity.generations, (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(info.identity.replaces, (std::vector<uint64_t>{40}));
  EXPECT_EQ(info.identity.arrival_min_ns, 5u);
  EXPECT_EQ(info.identity.arrival_max_ns, 6u);
  EXPECT_EQ(info.row_count, 500u);
  uint64_t bytes = 0;
  for (const auto& [key, page] : fixture.store().pages()) bytes += page.size();
  EXPECT_EQ(info.size_bytes, bytes);
  EXPECT_EQ(fixture.written().size_bytes, bytes);
  std::vector<std::pair<std::string, uint64_t>> sizes;
  ASSERT_TRUE(fixture.segment().SectionSizes(&sizes).ok());
  for (const auto& [name, size] : sizes) bytes -= size;
  EXPECT_EQ(bytes, 0u);
}

TEST(SegmentTest, SameTableSameBytes) {
  const uint64_t seed = TestSeed();
  Fixture a(seed, 700, {});
  Fixture b(seed, 700, {});
  EXPECT_TRUE(a.store().pages() == b.store().pages());
}

TEST(SegmentTest, AbsentTraceIsNotFound) {
  const Fixture fixture(TestSeed(), 500, {});
  for (uint8_t i = 0; i < 200; ++i) {
    TraceId id;
    id.bytes.fill(i);
    std::vector<uint32_t> rows;
    std::vector<uint32_t> expected;
    fixture.table().FindTrace(id, &expected);
    ASSERT_TRUE(fixture.segment().FindTrace(id, &rows).ok());
    EXPECT_EQ(rows.size(), expected.size());
  }
}

// A span with the id `id` in trace 1; others are as their defaults.
Span MakeSpan(uint8_t id, uint8_t parent, const std::string& service, uint64_t start_ns) {
  Span span;
  span.trace_id.bytes.fill(1);
  span.span_id.bytes.fill(id);
  span.parent_span_id.bytes.fill(parent);
  span.name = "op";
  span.start_ns = start_ns;
  span.end_ns = start_ns + 5;
  auto resource = std::make_shared<Resource>();
  if (!service.empty()) {
    resource->attributes.push_back({"service.name", ValueType::kString, service});
  }
  span.resource = resource;
  span.scope = std::make_shared<Scope>();
  return span;
}

TEST(SegmentTest, ExtremeTimesComeBack) {
  std::vector<Span> spans;
  const std::vector<uint64_t> times = {0, 1, UINT64_MAX, UINT64_MAX - 1, uint64_t{1} << 63};
  uint8_t id = 1;
  for (const uint64_t start : times) {
    for (const uint64_t end : times) {
      spans.push_back(MakeSpan(id++, 0, "a", start));
      spans.back().end_ns = end;
      spans.back().events.push_back({.time_ns = end, .name = "e"});
    }
  }
  const Fixture fixture(spans);
  ExpectSameSpans(fixture);
  ExpectTraces(fixture);
  EXPECT_EQ(fixture.segment().start_range().min_ns, 0u);
  EXPECT_EQ(fixture.segment().start_range().max_ns, UINT64_MAX);
  EXPECT_EQ(fixture.segment().latest_end_ns(), UINT64_MAX);
}

TEST(SegmentTest, EqualSpansCanBeDropped) {
  const Span span = MakeSpan(1, 0, "a", 10);
  Span other = span;
  other.name = "other";
  const std::vector<Span> spans = {span, other, span, span, other};
  const Fixture kept(spans);
  EXPECT_EQ(kept.segment().row_count(), 5u);
  const Fixture dropped(spans, {.drop_duplicates = true});
  EXPECT_EQ(dropped.segment().row_count(), 2u);
}

using Edge = std::tuple<std::string, std::string, uint64_t, uint64_t>;

std::vector<Edge> EdgesOf(const Fixture& fixture) {
  std::vector<EdgeCount> counts;
  EXPECT_TRUE(fixture.segment().Edges(&counts).ok());
  std::vector<Edge> edges;
  for (const EdgeCount& edge : counts) {
    edges.emplace_back(edge.parent, edge.child, edge.minute, edge.count);
  }
  return edges;
}

TEST(SegmentTest, EdgesByMinute) {
  constexpr uint64_t kMinute = 60'000'000'000;
  const Fixture fixture({
      MakeSpan(1, 0, "front", 5),
      MakeSpan(2, 1, "back", 6),
      MakeSpan(2, 1, "back", 6),            // equal in every field: once
      MakeSpan(3, 1, "back", kMinute - 1),  // the same minute
      MakeSpan(4, 1, "back", kMinute),
      MakeSpan(5, 1, "front", 7),  // a self edge
      MakeSpan(6, 1, "", 8),       // no service
      MakeSpan(7, 99, "back", 9),  // its parent is not there
      MakeSpan(8, 2, "db", 9),
  });
  EXPECT_EQ(
      EdgesOf(fixture),
      (std::vector<Edge>{{"front", "back", 0, 2}, {"back", "db", 0, 1}, {"front", "back", 1, 1}}));
}

TEST(SegmentTest, ParentIsTheFirstOfItsId) {
  const Fixture fixture({MakeSpan(1, 0, "late", 6), MakeSpan(1, 0, "z", 5), MakeSpan(1, 0, "a", 5),
                         MakeSpan(2, 1, "child", 9)});
  EXPECT_EQ(EdgesOf(fixture), (std::vector<Edge>{{"a", "child", 0, 1}}));
}

// Many threads over one segment whose pages do not fit the cache.
TEST(SegmentTest, ManyReadersAtOnce) {
  const uint64_t seed = TestSeed();
  Fixture fixture(seed, 3000, {.open_traces = 20});
  fixture.cache()->set_capacity_bytes(1 << 20);
  const std::vector<Row> expected = fixture.SegmentRows();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(seed + thread);
      for (int i = 0; i < 20; ++i) {
        const TraceId id = fixture.table().row(static_cast<uint32_t>(random.Below(3000))).trace_id;
        std::vector<uint32_t> rows;
        Collector collector;
        if (!fixture.segment().FindTrace(id, &rows).ok() || rows.empty() ||
            !fixture.segment().EncodeRows(rows, &collector).ok()) {
          ++wrong;
        }
        for (size_t k = 0; k < collector.rows.size(); ++k) {
          if (collector.rows[k] != expected[rows[k]]) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// What a reader may answer when a page is broken: the failure that names the page, or what it would
// answer if the page were whole. Never anything else.
void ExpectNeverServed(const Status& status, PageKey key) {
  if (status.ok()) return;
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(key.ToString()), std::string_view::npos) << status.ToString();
}

void ExpectBrokenPageIsNamed(const Fixture& whole, const MapPageStore& store, PageKey key,
                             bool has_identity) {
  PageCache cache(kCacheBytes);
  const auto opened = Segment::Open(store.Source(), &cache);
  if (!opened.ok()) {
    ExpectNeverServed(opened.status(), key);
    return;
  }
  std::vector<std::string> faults;
  ASSERT_TRUE((*opened)->Verify(&faults).ok());
  ASSERT_FALSE(faults.empty()) << key.ToString();
  EXPECT_NE(faults[0].find(key.ToString()), std::string::npos) << faults[0];
  EXPECT_EQ(faults[0].find("segment 42: page ") == 0, has_identity) << faults[0];
  Collector collector;
  ExpectNeverServed((*opened)->EncodeRows(whole.AllRows(), &collector), key);
  const std::vector<Row> expected = whole.SegmentRows();
  for (size_t i = 0; i < collector.rows.size(); ++i) {
    ASSERT_TRUE(collector.rows[i] == expected[i]);
  }
  std::vector<uint32_t> rows;
  ExpectNeverServed((*opened)->FindTrace(whole.table().row(0).trace_id, &rows), key);
  std::vector<EdgeCount> edges;
  ExpectNeverServed((*opened)->Edges(&edges), key);
  std::vector<ServiceOperation> operations;
  ExpectNeverServed((*opened)->Operations(&operations), key);
}

TEST(SegmentTest, AFlippedBitInAnyPageIsNamedAndNeverServed) {
  const uint64_t seed = TestSeed();
  Fixture fixture(seed, 300, {.hostile_one_in = 3});
  Random random(seed);
  for (auto& [key, page] : fixture.store().pages()) {
    const size_t bit = random.Below(page.size() * 8);
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << (bit % 8)));
    ExpectBrokenPageIsNamed(fixture, fixture.store(), key, true);
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST(SegmentTest, AMissingPageIsNamed) {
  Fixture fixture(TestSeed(), 300, {.hostile_one_in = 3});
  const std::map<PageKey, std::string> pages = fixture.store().pages();
  for (const auto& [key, page] : pages) {
    if (key.section == Section::kHeader) continue;  // nothing says that there was a segment
    fixture.store().pages().erase(key);
    ExpectBrokenPageIsNamed(fixture, fixture.store(), key, true);
    fixture.store().pages().emplace(key, page);
  }
}

}  // namespace
}  // namespace larder
