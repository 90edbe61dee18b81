#include "storage/query/query_engine.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/mutex.h"
#include "storage/model/span.h"
#include "storage/query/faulty_source_for_test.h"
#include "storage/query/traces/trace_reader.h"
#include "storage/query/traces/trace_warning.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

TraceId Trace(uint8_t number) {
  TraceId id;
  id.bytes[15] = number;
  return id;
}

SpanId Id(uint32_t number) {
  SpanId id;
  for (int i = 0; i < 4; ++i)
    id.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(number >> (8 * i));
  return id;
}

// A span of `service` that starts at `start_ns`.
Span MakeSpan(uint8_t trace, uint32_t id, uint32_t parent, const std::string& service,
              uint64_t start_ns) {
  auto resource = std::make_shared<Resource>();
  resource->attributes = {{"service.name", ValueType::kString, service}};
  Span span;
  span.trace_id = Trace(trace);
  span.span_id = Id(id);
  span.parent_span_id = Id(parent);
  span.name = "op";
  span.start_ns = start_ns;
  span.end_ns = start_ns + 1;
  span.resource = resource;
  span.scope = std::make_shared<Scope>();
  return span;
}

class QueryEngineTest : public testing::Test {
 protected:
  // One more source, with `spans`.
  void Add(const std::vector<Span>& spans, const SourceFaults& faults = {}) {
    auto table = std::make_shared<SpanTable>();
    const auto appended = table->Append(EncodeSpans(spans), AppendLimits());
    ASSERT_TRUE(appended.ok()) << appended.status().ToString();
    table->Publish();
    SourceEntry entry;
    entry.source = std::make_shared<FaultySource>(MakeTableSource(table), faults);
    entry.id = view_->entries.size();
    entry.name = "head " + std::to_string(entry.id);
    view_->entries.push_back(entry);
  }

  ViewSource Views() {
    return [this](TenantId /*tenant*/) { return view_; };
  }

  // Reads the cursor to its end: spans by trace, in the order answered.
  std::vector<std::pair<TraceId, std::vector<Span>>> ReadAll(TraceCursor* cursor) {
    std::vector<std::pair<TraceId, std::vector<Span>>> traces;
    for (;;) {
      const auto chunk = cursor->Next();
      ended_ = chunk.status();
      if (!chunk.ok() || chunk->end) return traces;
      ++chunks_;
      if (traces.empty() || traces.back().first != chunk->trace_id)
        traces.push_back({chunk->trace_id, {}});
      const auto spans = DecodeSpans(chunk->traces_data);
      EXPECT_TRUE(spans.ok());
      EXPECT_LE(chunk->traces_data.size(), TraceReader::kChunkBytesMax);
      for (const Span& span : *spans) traces.back().second.push_back(span);
    }
  }

  std::shared_ptr<View> view_ = std::make_shared<View>();
  QueryEngine engine_{QueryEngineOptions()};
  Status ended_;
  size_t chunks_ = 0;
};

// On a View from before the one that was counted last, its newest segments would seem to be gone.
TEST_F(QueryEngineTest, DependenciesTakeTheirViewWhenItIsTheirTurn) {
  Mutex mu;
  CondVar changed;
  bool second_has_view = false;
  const ViewSource second = [&](TenantId /*tenant*/) {
    const MutexLock lock(mu);
    second_has_view = true;
    changed.SignalAll();
    return view_;
  };
  std::thread other;
  const ViewSource first = [&](TenantId /*tenant*/) {
    other = std::thread([&] { EXPECT_TRUE(engine_.Dependencies(second, 0, {}, {}).ok()); });
    // In vain, as long as this question is not answered.
    const MutexLock lock(mu);
    if (!second_has_view) changed.WaitFor(mu, std::chrono::milliseconds(300));
    EXPECT_FALSE(second_has_view);
    return view_;
  };
  EXPECT_TRUE(engine_.Dependencies(first, 0, {}, {}).ok());
  other.join();
  const MutexLock lock(mu);
  EXPECT_TRUE(second_has_view);
}

TEST_F(QueryEngineTest, AnEmptyStoreAnswersNothing) {
  EXPECT_TRUE(ReadAll(engine_.GetTraces(view_, 0, {Trace(1)}, {}).get()).empty());
  EXPECT_TRUE(ended_.ok());
  const auto found = engine_.FindTraceIds(view_, TraceQuery(), {});
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->values.empty());
  EXPECT_TRUE(engine_.Services(view_, 0, {})->values.empty());
  EXPECT_TRUE(engine_.Dependencies(Views(), 0, {}, {})->values.empty());
}

TEST_F(QueryEngineTest, OtherTenantsSeeNothing) {
  Add({MakeSpan(1, 1, 0, "a", 5)});
  EXPECT_TRUE(ReadAll(engine_.GetTraces(view_, 7, {Trace(1)}, {}).get()).empty());
  EXPECT_TRUE(engine_.Services(view_, 7, {})->values.empty());
  EXPECT_EQ(engine_.Services(view_, 0, {})->values, std::vector<std::string>{"a"});
}

TEST_F(QueryEngineTest, OrdersByLatestMatchThenTraceId) {
  Add({MakeSpan(3, 1, 0, "a", 5), MakeSpan(2, 1, 0, "a", 9), MakeSpan(9, 1, 0, "a", 7)});
  Add({MakeSpan(1, 1, 0, "a", 9), MakeSpan(3, 2, 0, "a", 8)});
  TraceQuery query;
  query.depth = 3;
  const auto found = engine_.FindTraceIds(view_, query, {});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->values.size(), 3u);
  EXPECT_EQ(found->values[0].trace_id, Trace(1));
  EXPECT_EQ(found->values[1].trace_id, Trace(2));
  EXPECT_EQ(found->values[2].trace_id, Trace(3));
  EXPECT_EQ(found->values[2].latest_match_ns, 8u);
  EXPECT_EQ(found->values[2].min_start_ns, 5u);
  EXPECT_EQ(found->values[2].max_end_ns, 9u);
}

TEST_F(QueryEngineTest, CutsALargeTraceIntoChunksAndAnswersRepeatsOnce) {
  std::vector<Span> spans;
  for (uint32_t i = 1; i <= 3000; ++i) {
    Span span = MakeSpan(1, i, 0, "a", i);
    span.attributes = {{"pad", ValueType::kString, std::string(1000, 'x')}};
    spans.push_back(span);
  }
  Add(spans);
  Add({spans[0], spans[1], spans[1], MakeSpan(1, 2, 0, "b", 2)});
  const auto traces =
      ReadAll(engine_.GetTraces(view_, 0, {Trace(1), Trace(2), Trace(1)}, {}).get());
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].second.size(), 3001u);
  EXPECT_EQ(chunks_, 4u);  // 3 MB and a little
}

TEST_F(QueryEngineTest, ASpanLargerThanAChunkComesAlone) {
  Span large = MakeSpan(1, 2, 0, "a", 2);
  for (int i = 0; i < 3; ++i) {
    large.attributes.push_back(
        {"k" + std::to_string(i), ValueType::kString, std::string(900'000, 'x')});
  }
  Add({MakeSpan(1, 1, 0, "a", 1), large, MakeSpan(1, 3, 0, "a", 3)});
  const auto cursor = engine_.GetTraces(view_, 0, {Trace(1)}, {});
  std::vector<size_t> spans;
  for (;;) {
    const auto chunk = cursor->Next();
    ASSERT_TRUE(chunk.ok());
    if (chunk->end) break;
    spans.push_back(DecodeSpans(chunk->traces_data)->size());
  }
  EXPECT_EQ(spans, (std::vector<size_t>{1, 1, 1}));
}

std::vector<std::string> WarningsOf(const std::vector<Span>& spans) {
  std::vector<std::string> warnings;
  for (const Span& span : spans) {
    for (const Attribute& attribute : span.attributes) {
      if (attribute.key == kWarningsKey)
        warnings.push_back(ValueText(attribute.type, attribute.payload));
    }
  }
  return warnings;
}

TEST_F(QueryEngineTest, ABrokenPartIsAGapAndAWarningOnOneSpan) {
  Add({MakeSpan(1, 1, 0, "a", 1), MakeSpan(1, 2, 0, "a", 2)});
  Add({MakeSpan(1, 3, 0, "a", 3), MakeSpan(1, 4, 0, "a", 4)}, {.encode_rows = {1}});
  const auto cursor = engine_.GetTraces(view_, 0, {Trace(1)}, {});
  const auto traces = ReadAll(cursor.get());
  EXPECT_TRUE(ended_.ok());
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].second.size(), 3u);
  ASSERT_EQ(cursor->gaps().size(), 1u);
  EXPECT_EQ(cursor->gaps()[0].place, "head 1");
  const auto warnings = WarningsOf(traces[0].second);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("attributes/2/0"), std::string::npos) << warnings[0];
  EXPECT_EQ(engine_.gaps(), 1u);
}

TEST_F(QueryEngineTest, AnErrorWhenNothingCouldBeRead) {
  Add({MakeSpan(1, 1, 0, "a", 1)}, {.find_trace = true, .search = true, .operations = true});
  EXPECT_TRUE(ReadAll(engine_.GetTraces(view_, 0, {Trace(1)}, {}).get()).empty());
  EXPECT_EQ(ended_.code(), StatusCode::kDataLoss);
  EXPECT_EQ(engine_.FindTraceIds(view_, TraceQuery(), {}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(engine_.Services(view_, 0, {}).status().code(), StatusCode::kDataLoss);
}

TEST_F(QueryEngineTest, AFoundTraceOfWhichNothingIsReadableIsAnError) {
  Add({MakeSpan(1, 1, 0, "a", 1)}, {.encode_rows = {0}});
  Add({MakeSpan(2, 1, 0, "a", 1)});
  EXPECT_TRUE(ReadAll(engine_.GetTraces(view_, 0, {Trace(1)}, {}).get()).empty());
  EXPECT_EQ(ended_.code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadAll(engine_.GetTraces(view_, 0, {Trace(1), Trace(2)}, {}).get()).size(), 1u);
  EXPECT_TRUE(ended_.ok());
}

TEST_F(QueryEngineTest, SearchesGoOnWithoutABrokenSource) {
  Add({MakeSpan(1, 1, 0, "a", 5)});
  Add({MakeSpan(2, 1, 0, "a", 9)}, {.match = true});
  Add({MakeSpan(3, 1, 0, "a", 7)}, {.search = true});
  const auto found = engine_.FindTraceIds(view_, TraceQuery(), {});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  ASSERT_EQ(found->values.size(), 1u);
  EXPECT_EQ(found->values[0].trace_id, Trace(1));
  EXPECT_EQ(found->gaps.size(), 2u);
}

TEST_F(QueryEngineTest, StopsWhenCancelledOrLate) {
  Add({MakeSpan(1, 1, 0, "a", 5)});
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(engine_.FindTraceIds(view_, TraceQuery(), {.cancelled = &cancelled}).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(engine_.FindTraceIds(view_, TraceQuery(), {.deadline_monotonic_ns = 1}).status().code(),
            StatusCode::kDeadlineExceeded);
}

TEST_F(QueryEngineTest, MemoryIsGivenBackAndItsLimitHolds) {
  std::vector<Span> spans;
  for (uint32_t i = 1; i <= 20'000; ++i) spans.push_back(MakeSpan(1, i, 0, "a", i));
  Add(spans);
  QueryEngine small({.query_memory_bytes_max = 100 << 10});
  EXPECT_TRUE(ReadAll(small.GetTraces(view_, 0, {Trace(1)}, {}).get()).empty());
  EXPECT_EQ(ended_.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(small.memory_bytes(), 0u);
}

TEST_F(QueryEngineTest, SummaryCountsRepeatsOnceAndNamesTheFirstRoot) {
  const Span root = MakeSpan(1, 1, 0, "front", 10);
  Span failed = MakeSpan(1, 2, 1, "pay", 11);
  failed.status_code = 2;
  Add({root, failed, MakeSpan(1, 5, 99, "pay", 12)});
  Add({failed, MakeSpan(1, 7, 0, "late", 20), MakeSpan(1, 8, 0, "early", 9)});
  const auto summaries = engine_.FindSummaries(view_, TraceQuery(), {});
  ASSERT_TRUE(summaries.ok());
  ASSERT_EQ(summaries->values.size(), 1u);
  const TraceSummary& summary = summaries->values[0];
  EXPECT_EQ(summary.root_service, "early");
  EXPECT_EQ(summary.span_count, 5u);
  EXPECT_EQ(summary.error_span_count, 1u);
  EXPECT_EQ(summary.orphan_span_count, 1u);
  EXPECT_EQ(summary.services,
            (std::vector<ServiceSummary>{
                {"early", 1, 0}, {"front", 1, 0}, {"late", 1, 0}, {"pay", 2, 1}}));
}

TraceSummary OneSummary(QueryEngine* engine, const std::shared_ptr<View>& view) {
  const auto summaries = engine->FindSummaries(view, TraceQuery(), {});
  EXPECT_TRUE(summaries.ok());
  EXPECT_EQ(summaries->values.size(), 1u);
  return summaries->values.at(0);
}

// Jaeger takes the first of them that it is answered.
TEST_F(QueryEngineTest, OfRootsThatStartTogetherTheOneAnsweredFirstIsTheRoot) {
  Add({MakeSpan(1, 9, 0, "z", 100)});
  Add({MakeSpan(1, 1, 0, "a", 100), MakeSpan(1, 2, 0, "b", 101)});
  const auto traces = ReadAll(engine_.FindTraces(view_, TraceQuery(), {}).get());
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].second[0].resource->service(), "z");
  EXPECT_EQ(OneSummary(&engine_, view_).root_service, "z");
}

// As Jaeger reads Zipkin's spans: the server's is the client's child, so that it is no root and has
// a parent, wherever its own would have been.
TEST_F(QueryEngineTest, AServersSpanWithTheIdOfAClientsIsItsChild) {
  Span server = MakeSpan(1, 1, 0, "server", 90);
  server.kind = 2;
  Span client = MakeSpan(1, 1, 0, "client", 100);
  client.kind = 3;
  Span other_server = MakeSpan(1, 2, 77, "server", 110);
  other_server.kind = 2;
  Span other_client = MakeSpan(1, 2, 77, "client", 105);
  other_client.kind = 3;
  Span alone = MakeSpan(1, 3, 77, "server", 120);
  alone.kind = 2;
  Add({server, other_server});
  EXPECT_EQ(OneSummary(&engine_, view_).root_service, "server");
  EXPECT_EQ(OneSummary(&engine_, view_).orphan_span_count, 1u);
  Add({client, other_client, alone});
  EXPECT_EQ(OneSummary(&engine_, view_).root_service, "client");
  EXPECT_EQ(OneSummary(&engine_, view_).orphan_span_count, 2u);
  EXPECT_EQ(OneSummary(&engine_, view_).span_count, 5u);
}

TEST_F(QueryEngineTest, DependenciesJoinOverSourcesByTheChildsStart) {
  Add({MakeSpan(1, 2, 1, "pay", 11), MakeSpan(1, 3, 2, "pay", 12), MakeSpan(1, 4, 77, "mail", 13)});
  Add({MakeSpan(1, 1, 0, "front", 10), MakeSpan(1, 2, 1, "pay", 11),
       MakeSpan(1, 6, 2, "mail", 20)});
  const std::vector<Dependency> all = {{"front", "pay", 1}, {"pay", "mail", 1}};
  EXPECT_EQ(engine_.Dependencies(Views(), 0, {}, {})->values, all);
  EXPECT_EQ(engine_.Dependencies(Views(), 0, {11, 20}, {})->values, all);
  EXPECT_EQ(engine_.Dependencies(Views(), 0, {12, 20}, {})->values,
            (std::vector<Dependency>{{"pay", "mail", 1}}));
  EXPECT_TRUE(engine_.Dependencies(Views(), 0, {21, 30}, {})->values.empty());
}

TEST(TraceWarning, JoinsTheWarningsThatAreThere) {
  Span span = MakeSpan(1, 1, 0, "a", 1);
  span.attributes = {{"k", ValueType::kString, "v"}};
  auto table = std::make_shared<SpanTable>();
  ASSERT_TRUE(table->Append(EncodeSpans({span}), AppendLimits()).ok());
  std::string bytes;
  table->EncodeSpan(0, &bytes);
  const std::string twice = WithWarning(WithWarning(bytes, "one"), "two");
  TracesDataWriter writer;
  writer.Add("", "", twice);
  const auto spans = DecodeSpans(writer.Finish());
  ASSERT_TRUE(spans.ok());
  ASSERT_EQ(spans->at(0).attributes.size(), 2u);
  EXPECT_EQ(spans->at(0).attributes[0].key, "k");
  EXPECT_EQ(WarningsOf(*spans), std::vector<std::string>{"[\"one\",\"two\"]"});
  EXPECT_EQ(WithWarning("\x4a\x05xx", "w"), "\x4a\x05xx") << "not a message: left as it is";
}

}  // namespace
}  // namespace larder
