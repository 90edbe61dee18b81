// Random requests, in spellings that only a hostile client would choose: what a SpanTable gives
// back equals what was sent, field by field.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"
#include "tests/support/otlp_mangler.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

std::string Encode(const SpanTable& table, uint32_t first, uint32_t end) {
  TracesDataWriter writer;
  for (uint32_t i = first; i < end; ++i) {
    const SpanRow& row = table.row(i);
    std::string span;
    table.EncodeSpan(i, &span);
    writer.Add(table.resource(row.resource).envelope, table.scope(row.scope).envelope, span);
  }
  return writer.Finish();
}

TEST(SpanTablePropertyTest, GivesBackWhatWasSent) {
  Random random(TestSeed());
  for (int round = 0; round < 60; ++round) {
    SpanGenerator generator(&random, {.hostile_one_in = 1 + static_cast<uint32_t>(round % 10)});
    SpanTable table;
    for (int request = 0; request < 5; ++request) {
      const std::vector<Span> sent = generator.Batch(1 + static_cast<uint32_t>(random.Below(30)));
      const std::string plain = EncodeSpans(sent);
      ASSERT_EQ(DecodeSpans(plain).value(), sent);
      ASSERT_EQ(DecodeSpans(MangleRequest(&random, plain, false)).value(), sent);

      const std::string mangled = MangleRequest(&random, plain, true);
      const uint32_t before = table.published_rows();
      const auto result = table.Append(mangled, {});
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      ASSERT_EQ(result->accepted_spans, sent.size()) << result->first_rejection;
      table.Publish();
      const std::string out = Encode(table, before, table.published_rows());
      ASSERT_EQ(DecodeSpans(out).value(), DecodeSpans(mangled).value());
    }
  }
}

// Equal spans have equal bytes, however they were spelled: duplicates are found by their bytes.
TEST(SpanTablePropertyTest, SpellingDoesNotReachTheEncodedSpan) {
  Random random(TestSeed());
  for (int round = 0; round < 60; ++round) {
    SpanGenerator generator(&random, {.hostile_one_in = 3});
    const std::string plain = EncodeSpans(generator.Batch(20));
    SpanTable table;
    ASSERT_TRUE(table.Append(plain, {}).ok());
    ASSERT_TRUE(table.Append(MangleRequest(&random, plain, false), {}).ok());
    table.Publish();
    ASSERT_EQ(table.published_rows(), 40u);
    for (uint32_t i = 0; i < 20; ++i) {
      std::string first;
      std::string second;
      table.EncodeSpan(i, &first);
      table.EncodeSpan(i + 20, &second);
      ASSERT_EQ(first, second);
      ASSERT_EQ(table.row(i).resource, table.row(i + 20).resource);
      ASSERT_EQ(table.row(i).scope, table.row(i + 20).scope);
    }
  }
}

TEST(SpanTablePropertyTest, FindsEveryTrace) {
  Random random(TestSeed());
  SpanGenerator generator(&random);
  SpanTable table;
  for (int request = 0; request < 50; ++request) {
    ASSERT_TRUE(table.Append(EncodeSpans(generator.Batch(20)), {}).ok());
    if (random.OneIn(3)) {
      table.Rollback();
    } else {
      table.Publish();
    }
  }
  std::set<TraceId> ids;
  for (uint32_t i = 0; i < table.published_rows(); ++i) ids.insert(table.row(i).trace_id);
  size_t found = 0;
  for (const TraceId& id : ids) {
    std::vector<uint32_t> rows;
    table.FindTrace(id, &rows);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    for (const uint32_t row : rows) EXPECT_EQ(table.row(row).trace_id, id);
    found += rows.size();
  }
  EXPECT_EQ(found, table.published_rows());
}

// One flipped or lost byte anywhere: refused, or kept so that it decodes to the same.
TEST(SpanTablePropertyTest, DamagedRequestsAreRefusedOrKeptAsTheyAre) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.hostile_one_in = 3});
  SpanTable table;
  uint32_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string request = EncodeSpans(generator.Batch(2));
    const size_t at = random.Below(request.size());
    if (random.OneIn(2)) {
      request[at] = static_cast<char>(request[at] ^ 1 << random.Below(8));
    } else {
      request.erase(at, 1);
    }
    const auto result = table.Append(request, {});
    const uint32_t before = table.published_rows();
    table.Publish();
    if (!result.ok()) {
      ++refused;
      ASSERT_EQ(table.published_rows(), before);
    } else if (result->rejected_spans == 0) {
      const std::string out = Encode(table, before, table.published_rows());
      ASSERT_EQ(DecodeSpans(out).value(), DecodeSpans(request).value());
    }
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace larder
