// Readers beside the writer of a head: what the differential test cannot see.
#include "storage/segment/table/table_source.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/table/leaf_memos.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

uint32_t CountMatches(const SpanSource& source, const FilterNode& filter) {
  auto search = source.Search(filter, {}, SearchBudget::Unbounded());
  EXPECT_TRUE(search.ok());
  std::vector<SpanMatch> matches;
  for (const uint32_t block : (*search)->candidate_blocks()) {
    EXPECT_TRUE((*search)->Match(block, &matches).ok());
  }
  return static_cast<uint32_t>(matches.size());
}

// Every span of the test has the attribute.
FilterNode HasAttribute() {
  FilterNode filter;
  filter.op = FilterOp::kEq;
  filter.left = AttributeRef{"present", AttributeLevel::kAny};
  filter.right = Constant{Constant::Type::kLegacyText, "yes", 0, 0};
  return filter;
}

TEST(TableSource, ReadersSeeWhatIsPublishedWhileTheWriterGoesOn) {
  auto table = std::make_shared<SpanTable>();
  const TableSnapshots snapshots(table);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    Random random(TestSeed());
    SpanGenerator generator(&random);
    for (int batch = 0; batch < 40; ++batch) {
      std::vector<Span> spans = generator.Batch(100);
      for (Span& span : spans) {
        span.attributes.insert(span.attributes.begin(), {"present", ValueType::kString, "yes"});
      }
      EXPECT_TRUE(table->Append(EncodeSpans(spans), {}).ok());
      if (batch % 7 == 6) {
        table->Rollback();
      } else {
        table->Publish();
      }
    }
    done = true;
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      uint32_t rows = 0;
      while (!done) {
        const auto source = snapshots.Take();
        EXPECT_GE(source->row_count(), rows);
        rows = source->row_count();
        EXPECT_EQ(CountMatches(*source, HasAttribute()), rows);
        std::vector<ServiceOperation> operations;
        EXPECT_TRUE(source->Operations(&operations).ok());
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(snapshots.Take()->row_count(), 3000u);
}

TEST(TableSource, AnEmptyHeadHoldsNothing) {
  const auto source = MakeTableSource(std::make_shared<SpanTable>());
  EXPECT_EQ(source->row_count(), 0u);
  EXPECT_GT(source->start_range().min_ns, source->start_range().max_ns);
  EXPECT_EQ(CountMatches(*source, {}), 0u);
  std::vector<uint32_t> rows;
  EXPECT_TRUE(source->FindTrace(TraceId{}, &rows).ok());
  EXPECT_TRUE(rows.empty());
}

TEST(TableSource, ASourceOutlivesItsSnapshotsAndTable) {
  std::shared_ptr<const SpanSource> source;
  {
    Random random(TestSeed());
    SpanGenerator generator(&random);
    auto table = std::make_shared<SpanTable>();
    ASSERT_TRUE(table->Append(EncodeSpans(generator.Batch(10)), {}).ok());
    table->Publish();
    source = TableSnapshots(table).Take();
  }
  EXPECT_EQ(CountMatches(*source, {}), source->row_count());
}

// ---- what a search spends ----

// Ends a search after so many bytes or looks.
class TightBudget : public SearchBudget {
 public:
  Status Check() const override {
    ++checks_;
    return checks_ > checks_max ? Status::Cancelled("by the test") : Status::Ok();
  }
  Status Charge(uint64_t bytes) override {
    if (held + bytes > bytes_max) return Status::ResourceExhausted("by the test");
    held += bytes;
    most_held = std::max(most_held, held);
    return Status::Ok();
  }
  void Release(uint64_t bytes) override { held -= bytes; }

  int checks_max = INT32_MAX;
  uint64_t bytes_max = UINT64_MAX;
  uint64_t held = 0;
  uint64_t most_held = 0;

 private:
  mutable int checks_ = 0;
};

FilterNode AttributeIs(const std::string& key, const std::string& value, FilterOp op) {
  FilterNode leaf = HasAttribute();
  leaf.op = op;
  leaf.left = AttributeRef{key, AttributeLevel::kAny};
  leaf.right = Constant{Constant::Type::kUntyped, value, 0, 0};
  return leaf;
}

FilterNode NameIs(const std::string& name) {
  FilterNode leaf = HasAttribute();
  leaf.left = FieldRef{Field::kName};
  leaf.right = Constant{Constant::Type::kString, name, 0, 0};
  return leaf;
}

// 300 spans with an id and one of ten kinds each, and values of their own that make many pairs;
// every third has a kind before it, as a number, and an event.
std::shared_ptr<SpanTable> TableOfManyPairs() {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 300; ++i) {
    Span span;
    span.trace_id.bytes[0] = 1;
    span.span_id.bytes[0] = 1;
    span.span_id.bytes[1] = static_cast<uint8_t>(i);
    span.span_id.bytes[2] = static_cast<uint8_t>(i >> 8);
    span.name = "name " + std::to_string(i % 7);
    span.start_ns = 1'700'000'000'000'000'000 + i;
    span.end_ns = span.start_ns + 1;
    span.resource = std::make_shared<Resource>();
    span.scope = std::make_shared<Scope>();
    span.attributes = {{"id", ValueType::kString, "id " + std::to_string(i)},
                       {"kind", ValueType::kString, std::to_string(i % 10)}};
    for (uint32_t j = 0; j < 70; ++j) {
      span.attributes.push_back({"own", ValueType::kString, std::to_string(i * 70 + j)});
    }
    if (i % 3 == 0) {
      const uint64_t number = i % 4;
      std::string bytes(reinterpret_cast<const char*>(&number), sizeof number);
      span.attributes.insert(span.attributes.begin(), {"kind", ValueType::kInt, std::move(bytes)});
      span.events.push_back({.name = "name 3"});
    }
    spans.push_back(std::move(span));
  }
  auto table = std::make_shared<SpanTable>();
  EXPECT_TRUE(table->Append(EncodeSpans(spans), {}).ok());
  table->Publish();
  return table;
}

// `last` or one of thousands of conditions that nothing satisfies, which come first.
FilterNode BehindManyLeaves(const FilterNode& last) {
  FilterNode filter;
  filter.op = FilterOp::kOr;
  for (int i = 0; i < 1500; ++i) {
    filter.children.push_back(i % 2 == 0 ? AttributeIs("id", "none", FilterOp::kEq)
                                         : NameIs("none"));
  }
  filter.children.push_back(last);
  return filter;
}

std::vector<uint32_t> RowsOf(BlockSearch* search) {
  std::vector<SpanMatch> matches;
  for (const uint32_t block : search->candidate_blocks()) {
    EXPECT_TRUE(search->Match(block, &matches).ok());
  }
  std::vector<uint32_t> rows;
  for (const SpanMatch& match : matches) rows.push_back(match.row);
  return rows;
}

TEST(TableSource, LeavesBeyondTheWholeMemosAnswerAsTheOthers) {
  const auto table = TableOfManyPairs();
  const auto source = MakeTableSource(table);
  ASSERT_GT(750ull * table->pair_count(), 2 * LeafMemos::kWholeBytesMax);
  size_t row_count = 0;
  for (const FilterNode& leaf :
       {AttributeIs("kind", "3", FilterOp::kEq), AttributeIs("kind", "3", FilterOp::kNe),
        AttributeIs("kind", "[12]", FilterOp::kRegex), AttributeIs("id", "id 77", FilterOp::kEq),
        AttributeIs("absent", "3", FilterOp::kNe), NameIs("name 3")}) {
    TightBudget budget;
    const auto alone = source->Search(leaf, {}, &budget);
    ASSERT_TRUE(alone.ok()) << alone.status().ToString();
    const FilterNode filter = BehindManyLeaves(leaf);
    const auto behind = source->Search(filter, {}, &budget);
    ASSERT_TRUE(behind.ok()) << behind.status().ToString();
    const std::vector<uint32_t> rows = RowsOf(alone->get());
    EXPECT_EQ(RowsOf(behind->get()), rows);
    row_count += rows.size();
  }
  EXPECT_GT(row_count, 300u);  // most of them find some
}

TEST(TableSource, MemosOfManyLeavesAreBoundedAndCharged) {
  const auto table = TableOfManyPairs();
  const auto source = MakeTableSource(table);
  FilterNode absent;
  absent.op = FilterOp::kOr;
  for (int i = 0; i < 10'000; ++i) {
    absent.children.push_back(AttributeIs("absent " + std::to_string(i), "x", FilterOp::kEq));
  }
  ASSERT_GT(10'000ull * table->pair_count(), 4 * LeafMemos::kWholeBytesMax);
  TightBudget budget;
  {
    const auto search = source->Search(absent, {}, &budget);
    ASSERT_TRUE(search.ok());
    EXPECT_TRUE((*search)->candidate_blocks().empty() || RowsOf(search->get()).empty());
    EXPECT_GE(budget.held, table->pair_count());
    EXPECT_LE(budget.held, LeafMemos::kWholeBytesMax + 100'000);
  }
  EXPECT_EQ(budget.held, 0u);

  budget.bytes_max = LeafMemos::kWholeBytesMax / 2;
  EXPECT_EQ(source->Search(absent, {}, &budget).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(budget.held, 0u);
}

TEST(TableSource, ASearchEndsWhenItsBudgetSaysSo) {
  const auto source = MakeTableSource(TableOfManyPairs());
  const FilterNode filter = BehindManyLeaves(AttributeIs("kind", "3", FilterOp::kEq));
  TightBudget budget;
  budget.checks_max = 100;  // while the leaves are planned
  EXPECT_EQ(source->Search(filter, {}, &budget).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(budget.held, 0u);

  TightBudget later;
  later.checks_max = 1510;  // in the middle of a block
  const auto search = source->Search(filter, {}, &later);
  ASSERT_TRUE(search.ok()) << search.status().ToString();
  std::vector<SpanMatch> matches;
  EXPECT_EQ((*search)->Match(0, &matches).code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace larder
