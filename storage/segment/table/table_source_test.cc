// Readers beside the writer of a head: what the differential test cannot see.
#include "storage/segment/table/table_source.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

uint32_t CountMatches(const SpanSource& source, const FilterNode& filter) {
  auto search = source.Search(filter, {});
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

}  // namespace
}  // namespace larder
