#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <jaeger/storage/v2/trace_storage.pb.h>

#include "plugin/paging/page_token.h"
#include "plugin/paging/pagination.h"
#include "plugin/paging/span_search.h"
#include "plugin/services/requests.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

using jaeger::storage::v2::FindSpansRequest;
using jaeger::storage::v2::FindTraceIDsRequest;

constexpr SearchLimits kLimits{.depth_max = 10'000, .page_size_max = 500};

SpanPosition Place() {
  SpanPosition place;
  place.key.start_ns = UINT64_MAX;
  place.key.duration_ns = -5;
  place.key.trace_id.bytes.fill(0xAB);
  place.key.span_id.bytes.fill(0xCD);
  place.content = {1, UINT64_MAX};
  return place;
}

TEST(PageToken, TheExampleOfThePage) {
  TracePosition position{.latest_match_ns = 1, .trace_id = {}};
  for (uint8_t i = 0; i < 16; ++i) position.trace_id.bytes[i] = i;
  const std::string token = EncodePageToken(position, 0x0807060504030201);
  std::ifstream file(LARDER_PAGING_PAGE);
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(page.find("\n    " + token + "\n"), std::string::npos) << token;
  EXPECT_EQ(*DecodeTraceToken(token, 0x0807060504030201), position);
}

TEST(PageToken, ComesBackAsItWas) {
  const auto back = DecodeSpanToken(EncodePageToken(Place(), 7), 7);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, Place());
}

TEST(PageToken, AnotherQueryIsRefused) {
  const std::string token = EncodePageToken(Place(), 7);
  EXPECT_EQ(DecodeSpanToken(token, 8).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeTraceToken(token, 7).status().code(), StatusCode::kInvalidArgument);
}

TEST(PageToken, EveryChangedCharacterIsRefused) {
  Random random(TestSeed());
  const std::string token = EncodePageToken(Place(), 7);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string damaged = token;
    while (damaged[i] == token[i]) damaged[i] = static_cast<char>(random.Between(1, 255));
    EXPECT_EQ(DecodeSpanToken(damaged, 7).status().code(), StatusCode::kInvalidArgument) << damaged;
    EXPECT_FALSE(DecodeSpanToken(token.substr(0, i), 7).ok());
  }
  EXPECT_FALSE(DecodeSpanToken(token + "A", 7).ok());
  EXPECT_FALSE(DecodeSpanToken(token + "==", 7).ok());
  EXPECT_FALSE(DecodeSpanToken(std::string(1 << 20, 'A'), 7).ok());
}

// A request for the spans of a second.
FindSpansRequest Spans() {
  FindSpansRequest request;
  request.mutable_query()->mutable_start_time_min()->set_seconds(1);
  request.mutable_query()->mutable_start_time_max()->set_seconds(2);
  return request;
}

void AddTerm(FindSpansRequest* request, const std::string& name, const std::string& direction,
             const std::string& level = "span") {
  auto* term = request->mutable_query()->add_order_by();
  term->mutable_expression()->mutable_field()->set_name(name);
  term->mutable_expression()->mutable_field()->set_level(level);
  term->set_direction(direction);
}

Result<SpanSearch> Parse(const FindSpansRequest& request, TenantId tenant = 0) {
  return ParseFindSpans(request.SerializeAsString(), tenant, 500);
}

bool IsRefused(const FindSpansRequest& request) {
  return Parse(request).status().code() == StatusCode::kInvalidArgument;
}

TEST(FindSpans, PlainOne) {
  const auto search = Parse(Spans());
  ASSERT_TRUE(search.ok()) << search.status().ToString();
  EXPECT_EQ(search->query.start.min_ns, 1'000'000'000u);
  EXPECT_EQ(search->query.start.max_ns, 2'000'000'000u);
  EXPECT_EQ(search->query.filter.op, FilterOp::kTrue);
  EXPECT_TRUE(search->query.order.empty());
  EXPECT_EQ(search->query.page_size, 500u);  // 1,000 within what a page may have
}

TEST(FindSpans, OrdersByUpToFourFields) {
  FindSpansRequest request = Spans();
  AddTerm(&request, "duration", "desc");
  AddTerm(&request, "traceID", "");
  AddTerm(&request, "spanID", "asc");
  AddTerm(&request, "startTime", "desc");
  const auto search = Parse(request);
  ASSERT_TRUE(search.ok()) << search.status().ToString();
  const std::vector<SpanSort> expected = {{SpanSortField::kDuration, true},
                                          {SpanSortField::kTraceId, false},
                                          {SpanSortField::kSpanId, false},
                                          {SpanSortField::kStartTime, true}};
  EXPECT_EQ(search->query.order, expected);
}

TEST(FindSpans, RefusesWhatIsNoOrder) {
  for (const std::string name : {"endTime", "name", "", "starttime"}) {
    FindSpansRequest request = Spans();
    AddTerm(&request, name, "");
    EXPECT_TRUE(IsRefused(request)) << name;
  }
  FindSpansRequest request = Spans();
  AddTerm(&request, "startTime", "DESC");
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  AddTerm(&request, "startTime", "", "event");
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  AddTerm(&request, "startTime", "asc");
  AddTerm(&request, "startTime", "desc");
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  request.mutable_query()->add_order_by();
  EXPECT_TRUE(IsRefused(request));
  request.mutable_query()->mutable_order_by(0)->mutable_expression()->mutable_attr()->set_key("a");
  EXPECT_TRUE(IsRefused(request));
}

TEST(FindSpans, RefusesWhatIsMissing) {
  EXPECT_TRUE(IsRefused(FindSpansRequest()));
  FindSpansRequest request = Spans();
  request.mutable_query()->clear_start_time_min();
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  request.mutable_query()->mutable_start_time_max()->set_seconds(-62'135'596'800);
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  request.mutable_query()->mutable_pagination();  // no size
  EXPECT_TRUE(IsRefused(request));
  request = Spans();
  request.mutable_query()->mutable_filter();  // no operator
  EXPECT_TRUE(IsRefused(request));
}

TEST(FindSpans, ATokenIsBoundToTenantTimesFilterSizeAndOrderInEffect) {
  FindSpansRequest request = Spans();
  const std::string of_no_page = EncodePageToken(Place(), Parse(request)->fingerprint);
  auto* page = request.mutable_query()->mutable_pagination();
  page->set_page_size(7);
  page->set_page_token(EncodePageToken(Place(), Parse(request)->fingerprint));
  const auto next = Parse(request);
  ASSERT_TRUE(next.ok()) << next.status().ToString();
  EXPECT_EQ(next->query.after, Place());
  EXPECT_EQ(next->query.page_size, 7u);
  EXPECT_EQ(Parse(request, 1).status().code(), StatusCode::kInvalidArgument);

  FindSpansRequest other = request;
  other.mutable_query()->mutable_pagination()->set_page_size(8);
  EXPECT_TRUE(IsRefused(other));
  // A query that did not ask for pages goes on in any.
  other.mutable_query()->mutable_pagination()->set_page_token(of_no_page);
  EXPECT_TRUE(Parse(other).ok());
  other.mutable_query()->mutable_start_time_max()->set_nanos(1);
  EXPECT_TRUE(IsRefused(other));

  other = request;
  AddTerm(&other, "startTime", "desc");  // what is in effect anyway
  AddTerm(&other, "traceID", "asc");
  EXPECT_TRUE(Parse(other).ok());
  AddTerm(&other, "duration", "desc");
  EXPECT_TRUE(IsRefused(other));
  other = request;
  other.mutable_query()->mutable_start_time_max()->set_nanos(1);
  EXPECT_TRUE(IsRefused(other));
  other = request;
  auto* filter = other.mutable_query()->mutable_filter();
  filter->set_op("exists");
  filter->add_args()->mutable_attr()->set_key("a");
  EXPECT_TRUE(IsRefused(other));
}

TEST(FindTraceIds, PagesInPlaceOfADepth) {
  FindTraceIDsRequest request;
  request.mutable_query()->set_service_name("a");
  const std::string plain = request.SerializeAsString();
  EXPECT_FALSE(ParseTraceSearch(plain, 0, kLimits)->query.says_next);

  auto* page = request.mutable_query()->mutable_pagination();
  EXPECT_FALSE(ParseTraceSearch(request.SerializeAsString(), 0, kLimits).ok());  // no size
  page->set_page_size(9'999);
  const auto first = ParseTraceSearch(request.SerializeAsString(), 0, kLimits);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_TRUE(first->query.says_next);
  EXPECT_EQ(first->query.depth, 500u);
  EXPECT_FALSE(ParseFindTraces(request.SerializeAsString(), 0, kLimits).ok());

  const TracePosition position{.latest_match_ns = 5, .trace_id = {}};
  page->set_page_token(EncodePageToken(position, first->fingerprint));
  const auto second = ParseTraceSearch(request.SerializeAsString(), 0, kLimits);
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_EQ(second->query.after, position);
  EXPECT_FALSE(ParseTraceSearch(request.SerializeAsString(), 3, kLimits).ok());
  page->set_page_size(9'998);
  EXPECT_FALSE(ParseTraceSearch(request.SerializeAsString(), 0, kLimits).ok());
  page->set_page_size(9'999);
  request.mutable_query()->set_service_name("b");
  EXPECT_FALSE(ParseTraceSearch(request.SerializeAsString(), 0, kLimits).ok());
  request.mutable_query()->set_service_name("a");
  request.mutable_query()->set_search_depth(1);
  EXPECT_FALSE(ParseTraceSearch(request.SerializeAsString(), 0, kLimits).ok());
}

}  // namespace
}  // namespace larder
