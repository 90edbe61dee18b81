#include "storage/query/spans/known_spans.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/query/faulty_source_for_test.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

Span MakeSpan(uint8_t trace, uint32_t id, const std::string& name = "op") {
  static const auto kResource = std::make_shared<Resource>();
  static const auto kScope = std::make_shared<Scope>();
  Span span;
  span.trace_id.bytes[15] = trace;
  span.span_id.bytes[0] = 1;
  span.span_id.bytes[6] = static_cast<uint8_t>(id >> 8);
  span.span_id.bytes[7] = static_cast<uint8_t>(id);
  span.name = name;
  span.start_ns = 1000 + id;
  span.end_ns = span.start_ns + 1;
  span.resource = kResource;
  span.scope = kScope;
  return span;
}

std::vector<Span> Trace(uint8_t trace, uint32_t spans) {
  std::vector<Span> made;
  for (uint32_t i = 0; i < spans; ++i) made.push_back(MakeSpan(trace, i));
  return made;
}

class KnownSpansTest : public testing::Test {
 protected:
  void AddSource(const std::vector<Span>& spans, const SourceFaults& faults = {}) {
    auto table = std::make_shared<SpanTable>();
    ASSERT_TRUE(table->Append(EncodeSpans(spans), {}).ok());
    table->Publish();
    SourceEntry entry;
    entry.source = std::make_shared<FaultySource>(MakeTableSource(table), faults);
    entry.id = view_.entries.size();
    view_.entries.push_back(std::move(entry));
  }
  Result<std::optional<NewSpans>> LeaveOut(const std::string& otlp) {
    QueryContext context(bounds_, {});
    const QueryContext::Work work(&context);
    auto left = LeaveKnownOut(view_, 0, otlp, {}, &context);
    gaps_ = context.gaps().size();
    return left;
  }

  View view_;
  MemoryBudget memory_{1 << 30};
  QueryBounds bounds_{.shared_memory = &memory_};
  size_t gaps_ = 0;
};

TEST_F(KnownSpansTest, WhatIsEqualInEveryFieldIsLeftOut) {
  AddSource(Trace(1, 3));
  AddSource({MakeSpan(2, 7)});
  const std::vector<Span> fresh = {MakeSpan(1, 1, "other"), MakeSpan(1, 9), MakeSpan(3, 1)};
  const auto left = LeaveOut(
      EncodeSpans({MakeSpan(1, 0), fresh[0], MakeSpan(2, 7), MakeSpan(2, 7), fresh[1], fresh[2]}));
  ASSERT_TRUE(left.ok()) << left.status().ToString();
  ASSERT_TRUE(left->has_value());
  EXPECT_EQ((*left)->known_spans, 3u);
  EXPECT_EQ(DecodeSpans((*left)->otlp).value(), fresh);
  EXPECT_EQ(memory_.bytes(), 0u);
}

TEST_F(KnownSpansTest, NothingIsSaidOfARequestThatIsNewAsAWhole) {
  AddSource(Trace(1, 3));
  const auto left = LeaveOut(EncodeSpans({MakeSpan(1, 3), MakeSpan(2, 0)}));
  ASSERT_TRUE(left.ok());
  EXPECT_FALSE(left->has_value());
}

TEST_F(KnownSpansTest, OfAStoredTraceOnlyTheSpansOfTheRequestAreRead) {
  SourceFaults all_but_one;
  for (uint32_t row = 0; row < 3000; ++row) {
    if (row != 1500) all_but_one.encode_rows.insert(row);
  }
  AddSource(Trace(1, 3000), all_but_one);
  const auto left = LeaveOut(EncodeSpans({MakeSpan(1, 1500)}));
  ASSERT_TRUE(left.ok() && left->has_value());
  EXPECT_EQ((*left)->known_spans, 1u);
  EXPECT_TRUE((*left)->otlp.empty());
  EXPECT_EQ(gaps_, 0u);
}

TEST_F(KnownSpansTest, WhatCannotBeReadIsNotKnown) {
  AddSource(Trace(1, 3), {.facts = true});
  AddSource(Trace(2, 3), {.encode_rows = {1}});
  const auto left =
      LeaveOut(EncodeSpans({MakeSpan(1, 0), MakeSpan(2, 0), MakeSpan(2, 1), MakeSpan(2, 2)}));
  ASSERT_TRUE(left.ok() && left->has_value());
  EXPECT_EQ((*left)->known_spans, 1u);  // the one before the broken page
  EXPECT_EQ(gaps_, 2u);
}

TEST_F(KnownSpansTest, RejectedSpansAreCountedAndLeftOut) {
  AddSource(Trace(1, 1));
  Span bad = MakeSpan(1, 1);
  bad.span_id = SpanId();
  const auto left = LeaveOut(EncodeSpans({MakeSpan(1, 0), bad}));
  ASSERT_TRUE(left.ok() && left->has_value());
  EXPECT_EQ((*left)->rejected_spans, 1u);
  EXPECT_EQ((*left)->first_rejection, "span 1: span id has 0 bytes, not 8");
  EXPECT_TRUE((*left)->otlp.empty());
  EXPECT_EQ(LeaveOut("\xff\xff").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(KnownSpansTest, ABudgetThatIsSpentEndsIt) {
  AddSource(Trace(1, 100));
  bounds_.memory_bytes_max = 10'000;
  EXPECT_EQ(LeaveOut(EncodeSpans(Trace(1, 100))).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(memory_.bytes(), 0u);
}

}  // namespace
}  // namespace larder
