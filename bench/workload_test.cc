#include "bench/workload.h"

#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "storage/model/span.h"

namespace larder::bench {
namespace {

constexpr uint64_t kEpochNs = 1'760'000'000'000'000'000;

WorkloadOptions SmallLoad() {
  return {.seed = 7, .spans = 20'000, .epoch_ns = kEpochNs, .spans_per_s = 5000};
}

struct Played {
  std::vector<Request> requests;
  std::map<TraceId, std::vector<Span>> traces;
  uint64_t trace_count = 0;
  SplitShares splits;
};

Played Play(const TemplateSet& templates, const WorkloadOptions& options) {
  Workload workload(&templates, options);
  Played played;
  Request request;
  while (workload.Next(&request)) {
    Result<std::vector<Span>> spans = DecodeSpans(request.otlp);
    EXPECT_TRUE(spans.ok());
    EXPECT_EQ(spans->size(), request.span_count);
    for (Span& span : *spans) played.traces[span.trace_id].push_back(std::move(span));
    played.requests.push_back(request);
  }
  played.trace_count = workload.trace_count();
  played.splits = workload.Splits(5000);
  for (uint64_t trace = 0; trace < played.trace_count; ++trace) {
    EXPECT_EQ(played.traces[workload.trace_id(trace)].size(),
              workload.trace_template(trace).span_count);
  }
  EXPECT_EQ(played.traces.size(), played.trace_count);
  return played;
}

class WorkloadTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    templates_ = LoadTemplates(GetParam(), 1).value();
    ASSERT_GT(templates_.spans.size(), 100u);
  }
  TemplateSet templates_;
};

TEST_P(WorkloadTest, SendsEverySpanOfEveryTraceOnceWithFreshIds) {
  const Played played = Play(templates_, SmallLoad());
  std::set<SpanId> span_ids;
  uint64_t spans = 0;
  for (const auto& [trace_id, trace] : played.traces) {
    for (const Span& span : trace) span_ids.insert(span.span_id);
    spans += trace.size();
  }
  EXPECT_GE(spans, 20'000u);
  EXPECT_GT(span_ids.size(), spans * 99 / 100) << "only those that the template repeats repeat";
}

TEST_P(WorkloadTest, KeepsParentLinks) {
  const Played played = Play(templates_, SmallLoad());
  uint64_t resolved = 0;
  uint64_t children = 0;
  for (const auto& [trace_id, trace] : played.traces) {
    std::set<SpanId> ids;
    for (const Span& span : trace) ids.insert(span.span_id);
    for (const Span& span : trace) {
      if (span.parent_span_id.is_zero()) continue;
      ++children;
      if (ids.contains(span.parent_span_id)) ++resolved;
    }
  }
  EXPECT_GT(children, 1000u);
  EXPECT_GT(resolved, children / 2) << "a recording is cut at its window, so not all";
}

TEST_P(WorkloadTest, TimesAreNearTheLoadsAndNeverTheTemplates) {
  const Played played = Play(templates_, SmallLoad());
  std::set<int64_t> durations;
  uint64_t spans = 0;
  for (const auto& [trace_id, trace] : played.traces) {
    for (const Span& span : trace) {
      EXPECT_GE(span.start_ns, kEpochNs);
      EXPECT_LT(span.start_ns, kEpochNs + 120'000'000'000);
      durations.insert(span.duration_ns());
      ++spans;
    }
  }
  EXPECT_GT(durations.size(), spans / 2);
}

TEST_P(WorkloadTest, ArrivesInOrderAndInManyRequests) {
  const Played played = Play(templates_, SmallLoad());
  uint64_t last_ns = 0;
  for (const Request& request : played.requests) {
    EXPECT_GE(request.arrival_ns, last_ns);
    EXPECT_LE(request.span_count, 512u);
    last_ns = request.arrival_ns;
  }
  EXPECT_GT(played.splits.sampled_edges, 0u);
  EXPECT_GT(played.splits.edges_over_requests, 0.8);
  EXPECT_GT(played.splits.edge_gap_median_s, 0.3);
  EXPECT_LT(played.splits.edge_gap_median_s, 5);
  EXPECT_LE(played.splits.edges_over_segments, played.splits.edges_over_requests);
}

TEST_P(WorkloadTest, TheSeedDecidesEverything) {
  WorkloadOptions options = SmallLoad();
  const Played first = Play(templates_, options);
  const Played second = Play(templates_, options);
  ASSERT_EQ(first.requests.size(), second.requests.size());
  for (size_t i = 0; i < first.requests.size(); ++i) {
    ASSERT_EQ(first.requests[i].otlp, second.requests[i].otlp);
  }
  options.seed = 8;
  const Played other = Play(templates_, options);
  EXPECT_NE(first.traces.begin()->first, other.traces.begin()->first);
}

TEST_P(WorkloadTest, SkewedClocksMoveSomeExporters) {
  WorkloadOptions options = SmallLoad();
  options.spans_per_s = 50'000;  // enough exporters that some are skewed
  options.skewed_clocks = true;
  const Played played = Play(templates_, options);
  uint64_t far_off = 0;
  uint64_t spans = 0;
  for (const auto& [trace_id, trace] : played.traces) {
    for (const Span& span : trace) {
      const auto off_ns = static_cast<int64_t>(span.start_ns - kEpochNs);
      if (off_ns < -10'000'000'000 || off_ns > 200'000'000'000) ++far_off;
      ++spans;
    }
  }
  EXPECT_GT(far_off, 0u);
  EXPECT_LT(far_off, spans / 10);
}

std::vector<std::string> ProfilesHere() {
  std::vector<std::string> profiles = {"otel-demo", "grafana", "alibaba"};
  if (std::getenv("LARDER_CAPTURE") != nullptr) profiles.emplace_back("capture");
  return profiles;
}

INSTANTIATE_TEST_SUITE_P(Profiles, WorkloadTest, ::testing::ValuesIn(ProfilesHere()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(TemplateSet, RefusesWhatItCannotReplay) {
  EXPECT_FALSE(TakeApart({}).ok());
  EXPECT_FALSE(LoadTemplates("no-such-profile", 1).ok());
}

}  // namespace
}  // namespace larder::bench
