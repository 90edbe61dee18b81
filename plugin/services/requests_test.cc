#include "plugin/services/requests.h"

#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <jaeger/storage/v2/dependency_storage.pb.h>
#include <jaeger/storage/v2/trace_storage.pb.h>

#include "plugin/paging/span_search.h"

namespace larder {
namespace {

constexpr SearchLimits kLimits{.depth_max = 10'000, .page_size_max = 10'000};

namespace v2 = jaeger::storage::v2;

constexpr int64_t kYearOne = -62'135'596'800;

TimeRange RangeOf(const v2::TraceQueryParameters& parameters) {
  v2::FindTracesRequest request;
  *request.mutable_query() = parameters;
  const auto query = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  EXPECT_TRUE(query.ok()) << query.status().ToString();
  return query->start;
}

TEST(Requests, TimesOfYearOneAreUnset) {
  v2::TraceQueryParameters parameters;
  parameters.mutable_start_time_min()->set_seconds(kYearOne);
  parameters.mutable_start_time_max()->set_seconds(kYearOne);
  EXPECT_EQ(RangeOf(parameters).min_ns, 0U);
  EXPECT_EQ(RangeOf(parameters).max_ns, UINT64_MAX);
  EXPECT_EQ(RangeOf({}).max_ns, UINT64_MAX);
}

TEST(Requests, TimesBeyondTheRangeOfSpansAreHeldAtItsEnds) {
  v2::TraceQueryParameters before;
  before.mutable_start_time_min()->set_seconds(-1);
  before.mutable_start_time_max()->set_seconds(5);
  EXPECT_EQ(RangeOf(before).min_ns, 0U);
  EXPECT_EQ(RangeOf(before).max_ns, 5'000'000'000U);
  // No span starts before 1970: such an end finds nothing.
  v2::TraceQueryParameters never;
  never.mutable_start_time_max()->set_seconds(-1);
  EXPECT_GT(RangeOf(never).min_ns, RangeOf(never).max_ns);
  // 2262 is where signed nanoseconds end; OTLP's are unsigned and end in 2554.
  v2::TraceQueryParameters late;
  late.mutable_start_time_min()->set_seconds(9'300'000'000);
  late.mutable_start_time_max()->set_seconds(99'000'000'000);
  EXPECT_EQ(RangeOf(late).min_ns, 9'300'000'000'000'000'000U);
  EXPECT_EQ(RangeOf(late).max_ns, UINT64_MAX);
  v2::TraceQueryParameters too_late;
  too_late.mutable_start_time_min()->set_seconds(99'000'000'000);
  EXPECT_GT(RangeOf(too_late).min_ns, RangeOf(too_late).max_ns);
  // The epoch itself is a bound like any other.
  v2::TraceQueryParameters epoch;
  epoch.mutable_start_time_max();
  EXPECT_EQ(RangeOf(epoch).max_ns, 0U);
}

TEST(Requests, NanosOutOfPlaceAreRefused) {
  v2::FindTracesRequest request;
  request.mutable_query()->mutable_start_time_min()->set_nanos(-1);
  const auto query = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  EXPECT_EQ(query.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(query.status().message().find("start_time_min"), std::string::npos);
}

TEST(Requests, DepthHasADefaultAndACap) {
  for (const auto& [asked, depth] :
       {std::pair{0, 100U}, {-5, 100U}, {1, 1U}, {500, 500U}, {INT32_MAX, 700U}}) {
    v2::FindTracesRequest request;
    request.mutable_query()->set_search_depth(asked);
    EXPECT_EQ(ParseFindTraces(request.SerializeAsString(), 0, {700, 700})->depth, depth);
  }
}

TEST(Requests, PlainFieldsBecomeOneConjunction) {
  v2::FindTracesRequest request;
  auto* query = request.mutable_query();
  query->set_service_name("s");
  query->set_operation_name("o");
  query->mutable_duration_min()->set_nanos(5);
  auto* attribute = query->add_attributes();
  attribute->set_key("k");
  attribute->mutable_value()->set_int_value(7);
  query->add_attributes()->set_key("without a value");
  const auto parsed = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  ASSERT_TRUE(parsed.ok());
  LegacySearch search;
  search.service = "s";
  search.operation = "o";
  search.duration_min_ns = 5;
  Constant seven;
  seven.type = Constant::Type::kInt;
  seven.number = 7;
  search.attributes = {{"k", seven}};
  const FilterNode expected = LowerLegacySearch(search);
  EXPECT_EQ(parsed->filter.op, expected.op);
  EXPECT_EQ(parsed->filter.children.size(), expected.children.size());
}

TEST(Requests, TraceIdsArePaddedOnTheRight) {
  v2::GetTracesRequest request;
  request.add_query()->set_trace_id(std::string(16, 'x'));
  request.add_query()->set_trace_id("ab");
  request.add_query();
  const auto ids = ParseGetTraces(request.SerializeAsString());
  ASSERT_TRUE(ids.ok());
  ASSERT_EQ(ids->size(), 3U);
  EXPECT_EQ((*ids)[1].view(), "ab" + std::string(14, '\0'));
  EXPECT_TRUE((*ids)[2].is_zero());
  request.add_query()->set_trace_id(std::string(17, 'x'));
  EXPECT_EQ(ParseGetTraces(request.SerializeAsString()).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Requests, SoManyTraceIdsAndNoMore) {
  v2::GetTracesRequest request;
  for (size_t i = 0; i < kTraceIdsMax; ++i) request.add_query()->set_trace_id("id");
  EXPECT_TRUE(ParseGetTraces(request.SerializeAsString()).ok());
  request.add_query()->set_trace_id("id");
  const auto refused = ParseGetTraces(request.SerializeAsString());
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("more than 10000 trace ids"), std::string::npos);
}

TEST(Requests, SoManyAttributesAndNoMore) {
  v2::FindTracesRequest request;
  const auto add = [&] {
    auto* attribute = request.mutable_query()->add_attributes();
    attribute->set_key("k");
    attribute->mutable_value()->set_string_value("v");
  };
  for (size_t i = 0; i < kSearchAttributesMax; ++i) add();
  // One that asks for nothing is not counted.
  request.mutable_query()->add_attributes()->set_key("k");
  EXPECT_TRUE(ParseFindTraces(request.SerializeAsString(), 0, kLimits).ok());
  add();
  const auto refused = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("attributes: more than 10000"), std::string::npos);
}

TEST(Requests, DependenciesMayAskForTimesOutsideOfSpans) {
  v2::GetDependenciesRequest request;
  EXPECT_FALSE(ParseGetDependencies(request.SerializeAsString()).ok());
  request.mutable_start_time()->set_seconds(-100);
  request.mutable_end_time()->set_seconds(-50);
  EXPECT_TRUE(ParseGetDependencies(request.SerializeAsString()).ok());
  request.mutable_end_time()->set_seconds(99'000'000'000);
  const auto range = ParseGetDependencies(request.SerializeAsString());
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->min_ns, 0U);
  EXPECT_EQ(range->max_ns, UINT64_MAX);
}

TEST(Requests, KindsHaveWords) {
  for (int32_t kind = 1; kind <= 5; ++kind) EXPECT_EQ(KindNumber(OperationKindWord(kind)), kind);
  EXPECT_EQ(OperationKindWord(0), "");
  EXPECT_EQ(OperationKindWord(-3), "");
  EXPECT_EQ(OperationKindWord(6), "");
  EXPECT_EQ(KindNumber("SERVER"), -1);
}

// Whatever comes in, a parser answers; it never throws and never reads outside.
TEST(Requests, AnyBytesAreAnswered) {
  v2::FindTracesRequest request;
  auto* query = request.mutable_query();
  query->set_service_name("service");
  query->mutable_start_time_min()->set_seconds(1'700'000'000);
  auto* attribute = query->add_attributes();
  attribute->set_key("k");
  attribute->mutable_value()->mutable_array_value()->add_values()->set_double_value(0.5);
  const std::string whole = request.SerializeAsString();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    // An own allocation of the exact size lets the sanitizer see a read behind the end.
    const std::string part(whole, 0, cut);
    (void)ParseFindTraces(part, 0, kLimits);
    (void)ParseFindSpans(part, 0, 10);
    (void)ParseGetDependencies(part);
  }
  const char* given = std::getenv("LARDER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("LARDER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    for (const Status& status :
         {ParseFindTraces(bytes, 0, kLimits).status(), ParseFindSpans(bytes, 0, 10).status(),
          ParseGetTraces(bytes).status(), ParseGetOperations(bytes).status(),
          ParseGetDependencies(bytes).status()}) {
      EXPECT_TRUE(status.ok() || status.code() == StatusCode::kInvalidArgument);
    }
  }
}

v2::FindTracesRequest WithFilter() {
  v2::FindTracesRequest request;
  auto* filter = request.mutable_query()->mutable_filter();
  filter->set_op("exists");
  filter->add_args()->mutable_attr()->set_key("user");
  return request;
}

TEST(Requests, FilterStandsBesideTimesAndDepthAlone) {
  v2::FindTracesRequest request = WithFilter();
  auto* query = request.mutable_query();
  query->mutable_start_time_min()->set_seconds(5);
  query->mutable_start_time_max()->set_seconds(kYearOne);
  query->set_search_depth(7);
  query->mutable_duration_min();  // Go always sends durations; zero is none
  query->mutable_duration_max();
  const auto parsed = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->filter.op, FilterOp::kExists);
  EXPECT_EQ(parsed->depth, 7U);
  EXPECT_EQ(parsed->start.min_ns, 5'000'000'000U);

  const std::vector<std::function<void(v2::TraceQueryParameters*)>> legacy = {
      [](auto* fields) { fields->set_service_name("a"); },
      [](auto* fields) { fields->set_operation_name("a"); },
      [](auto* fields) { fields->mutable_duration_min()->set_nanos(1); },
      [](auto* fields) { fields->mutable_duration_max()->set_seconds(1); },
      [](auto* fields) { fields->add_attributes()->mutable_value()->set_bool_value(true); },
  };
  for (const auto& add : legacy) {
    v2::FindTracesRequest both = WithFilter();
    add(both.mutable_query());
    const auto refused = ParseFindTraces(both.SerializeAsString(), 0, kLimits);
    ASSERT_FALSE(refused.ok()) << both.DebugString();
    EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.status().message().find("filter"), std::string::npos);
  }
}

TEST(Requests, AnEmptyFilterIsNoAbsentOne) {
  v2::FindTracesRequest request;
  request.mutable_query()->mutable_filter();
  const auto refused = ParseFindTraces(request.SerializeAsString(), 0, kLimits);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("unknown operator"), std::string::npos);
}

// Protobuf merges a message that comes twice.
TEST(Requests, AFilterInTwoPiecesIsMerged) {
  v2::FindTracesRequest first;
  first.mutable_query()->mutable_filter()->set_op("exists");
  v2::FindTracesRequest second = WithFilter();
  second.mutable_query()->mutable_filter()->clear_op();
  const auto parsed =
      ParseFindTraces(first.SerializeAsString() + second.SerializeAsString(), 0, kLimits);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->filter.op, FilterOp::kExists);
}

}  // namespace
}  // namespace larder
