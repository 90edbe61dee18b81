// One writer and several readers at once; meant for the thread sanitizer.
#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

// Looks at a published row in every way a query does; returns what it saw in one number.
size_t Look(const SpanTable& table, uint32_t index) {
  const SpanRow& row = table.row(index);
  size_t seen = table.string(row.name).size() + table.resource(row.resource).service.size() +
                table.scope(row.scope).name.size();
  for (const PairId id : table.pairs(row.attributes)) {
    const PairView pair = table.pair(id);
    seen += pair.attribute.payload.size() + table.column(pair.column).key.size();
  }
  for (uint32_t i = 0; i < row.events.count; ++i) {
    seen += table.string(table.event(row.events.first + i).name).size();
  }
  for (uint32_t i = 0; i < row.links.count; ++i) {
    seen += table.link(row.links.first + i).attributes.count;
  }
  std::string span;
  table.EncodeSpan(index, &span);
  return seen + span.size();
}

TEST(SpanTableThreadTest, ReadersSeeWholePublishedRows) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.open_traces = 20});
  SpanTable table;
  std::atomic<bool> done{false};
  std::atomic<uint64_t> looked{0};
  const auto read = [&](uint64_t seed) {
    Random pick(seed);
    uint32_t before = 0;
    while (!done.load()) {
      const uint32_t rows = table.published_rows();
      ASSERT_GE(rows, before);
      before = rows;
      if (rows == 0) continue;
      const auto index = static_cast<uint32_t>(pick.Below(rows));
      EXPECT_GT(Look(table, index), 0u);
      EXPECT_LE(table.row(index).name, table.string_count());
      std::vector<uint32_t> found;
      table.FindTrace(table.row(index).trace_id, &found);
      EXPECT_TRUE(std::binary_search(found.begin(), found.end(), index));
      ++looked;
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  for (int request = 0; request < 300 || looked < 100; ++request) {
    ASSERT_TRUE(table.Append(EncodeSpans(generator.Batch(15)), {}).ok());
    if (random.OneIn(4)) {
      table.Rollback();
    } else {
      table.Publish();
    }
  }
  done = true;
  first.join();
  second.join();
}

}  // namespace
}  // namespace larder
