// The server over loopback, a fake store behind it, and clients generated from the .proto files in
// front. Messages that no generated client would send go through a raw one.
#include "plugin/server/server.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <jaeger/storage/v2/capabilities.grpc.pb.h>
#include <jaeger/storage/v2/dependency_storage.grpc.pb.h>
#include <jaeger/storage/v2/trace_storage.grpc.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h>

#include "plugin/calls/raw_call.h"
#include "plugin/store/fake_store.h"

namespace larder {
namespace {

namespace v2 = jaeger::storage::v2;
namespace otlp = opentelemetry::proto::collector::trace::v1;
using opentelemetry::proto::trace::v1::TracesData;

constexpr uint64_t kRequestBytesMax = 1 << 20;
const char kExport[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const char kReader[] = "/jaeger.storage.v2.TraceReader/";

std::string TraceWithSpan(const std::string& name) {
  TracesData data;
  auto* span = data.add_resource_spans()->add_scope_spans()->add_spans();
  span->set_trace_id(std::string(16, 'T'));
  span->set_span_id(std::string(8, 'S'));
  span->set_name(name);
  return data.SerializeAsString();
}

class ServerTest : public testing::Test {
 protected:
  void Start(ServerOptions options = {}, bool open = true) {
    options.listen = "127.0.0.1:0";
    options.request_bytes_max = kRequestBytesMax;
    auto server = Server::Start(options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
    if (open) server_->Open(&store_);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(4 << 20);  // as Jaeger's client
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                         grpc::InsecureChannelCredentials(), arguments);
    reader_ = v2::TraceReader::NewStub(channel_);
    traces_ = otlp::TraceService::NewStub(channel_);
  }

  grpc::Status Raw(const std::string& method, const std::string& request,
                   std::string* reply = nullptr) {
    return RawCall(channel_, method, request, reply);
  }

  std::vector<TracesData> ReadAll(grpc::ClientReader<TracesData>& stream) {
    std::vector<TracesData> all;
    for (TracesData data; stream.Read(&data);) all.push_back(data);
    return all;
  }

  // Waits until the store has seen something, for at most a minute.
  bool Eventually(const std::function<bool(const FakeStore::Asked&)>& seen) {
    for (int i = 0; i < 6000; ++i) {
      if (seen(store_.asked())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  FakeStore store_;  // outlives the server
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v2::TraceReader::Stub> reader_;
  std::unique_ptr<otlp::TraceService::Stub> traces_;
};

TEST_F(ServerTest, ExportHandsTheBytesOverAsTheyCame) {
  Start();
  // A string that is not UTF-8 and a field that nobody knows: no generated parser lets both pass.
  const std::string request = "\x0a\x05\x1a\x03\xff\xfe\xfd\xf8\x3f\x01";
  std::string reply = "?";
  ASSERT_TRUE(Raw(kExport, request, &reply).ok());
  EXPECT_EQ(store_.asked().otlp, request);
  EXPECT_EQ(reply, "");
}

TEST_F(ServerTest, ExportOfNothingIsFine) {
  Start();
  std::string reply = "?";
  ASSERT_TRUE(Raw(kExport, "", &reply).ok());
  EXPECT_EQ(reply, "");
}

TEST_F(ServerTest, ExportSaysHowManySpansWereRejected) {
  store_.on_write = [](std::string_view) {
    WriteResult result;
    result.accepted_spans = 5;
    result.rejected_spans = 2;
    result.first_rejection = "trace id of 15 bytes";
    return result;
  };
  Start();
  grpc::ClientContext context;
  otlp::ExportTraceServiceResponse reply;
  ASSERT_TRUE(traces_->Export(&context, {}, &reply).ok());
  EXPECT_EQ(reply.partial_success().rejected_spans(), 2);
  EXPECT_NE(reply.partial_success().error_message().find("trace id of 15 bytes"),
            std::string::npos);
}

TEST_F(ServerTest, OverloadTellsWhenToComeAgain) {
  store_.on_write = [](std::string_view) {
    WriteResult result;
    result.status = Status::ResourceExhausted("too much at once");
    result.retry_after_ms = 2500;
    return result;
  };
  Start();
  const grpc::Status status = Raw(kExport, "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "too much at once");
  EXPECT_NE(status.error_details().find("type.googleapis.com/google.rpc.RetryInfo"),
            std::string::npos);
  // RetryInfo { retry_delay { seconds: 2, nanos: 500000000 } }
  const std::string delay = std::string("\x0a\x08\x08\x02\x10\x80\xca\xb5\xee\x01", 10);
  EXPECT_NE(status.error_details().find(delay), std::string::npos);
}

TEST_F(ServerTest, WhatDoesNotFitBesideWhatWaitsIsToldToComeAgain) {
  Start({.memory_bytes_max = 2 << 20});  // 256 KiB of it for exports
  store_.hold_writes = true;
  grpc::Status first;
  std::thread alone([&] { first = Raw(kExport, std::string(1 << 20, 'a')); });  // fits alone
  ASSERT_TRUE(Eventually([](const FakeStore::Asked& asked) { return !asked.otlp.empty(); }));
  const grpc::Status refused = Raw(kExport, "b");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(refused.error_details().find("google.rpc.RetryInfo"), std::string::npos);
  store_.hold_writes = false;
  store_.AnswerHeldWrites();
  alone.join();
  EXPECT_TRUE(first.ok()) << first.error_message();
  EXPECT_TRUE(Raw(kExport, "b").ok());
}

TEST_F(ServerTest, RejectionOfEverythingIsNotRetryable) {
  store_.on_write = [](std::string_view) {
    WriteResult result;
    result.status = Status::InvalidArgument("not protobuf");
    return result;
  };
  Start();
  const grpc::Status status = Raw(kExport, "xx");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_details(), "");
}

TEST_F(ServerTest, RequestAboveTheLimitIsRefused) {
  Start();
  const grpc::Status status = Raw(kExport, std::string(kRequestBytesMax + 1, 'x'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("larger than max"), std::string::npos);
  EXPECT_TRUE(Raw(kExport, std::string(kRequestBytesMax, 'x')).ok());
}

TEST_F(ServerTest, GzippedRequestsAreTaken) {
  Start();
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  otlp::ExportTraceServiceRequest request;
  request.ParseFromString(TraceWithSpan(std::string(100'000, 'n')));
  otlp::ExportTraceServiceResponse reply;
  ASSERT_TRUE(traces_->Export(&context, request, &reply).ok());
  EXPECT_EQ(store_.asked().otlp, request.SerializeAsString());
}

TEST_F(ServerTest, ASmallRequestMayNotUnpackToALargeOne) {
  Start();
  const auto outcome = [&](size_t size_bytes) {
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    otlp::ExportTraceServiceRequest request;
    request.add_resource_spans()->set_schema_url(std::string(size_bytes, 'u'));
    otlp::ExportTraceServiceResponse reply;
    return traces_->Export(&context, request, &reply);
  };
  EXPECT_TRUE(outcome(kRequestBytesMax - 100).ok());
  const grpc::Status status = outcome(kRequestBytesMax);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("unpacks to more than"), std::string::npos);
  // Bytes that only look packed.
  EXPECT_EQ(Raw(kExport, "\x1f\x8bnot gzip").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Raw(kExport, "\x1f\x8b").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, QueriesMayBePackedToo) {
  Start();
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v2::FindTracesRequest request;
  request.mutable_query()->set_search_depth(7);
  request.mutable_query()->set_service_name(std::string(1000, 's'));
  auto stream = reader_->FindTraces(&context, request);
  EXPECT_TRUE(ReadAll(*stream).empty());
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(store_.asked().query.depth, 7U);
}

TEST_F(ServerTest, RepliesAreCompressedWhenAskedFor) {
  store_.chunks = {TraceWithSpan(std::string(100'000, 'n'))};
  Start();
  // This client leaves messages as they came.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                                 grpc::InsecureChannelCredentials(), arguments);
  const std::string method = std::string(kReader) + "GetTraces";
  std::string reply;
  ASSERT_TRUE(RawCall(channel, method, "", &reply).ok());
  EXPECT_EQ(reply, store_.chunks[0]);
  ASSERT_TRUE(RawCall(channel, method, "", &reply, "gzip").ok());
  EXPECT_LT(reply.size(), 1000U);
}

TEST_F(ServerTest, IsUnavailableUntilTheStoreIsOpen) {
  Start({}, false);
  const grpc::Status exported = Raw(kExport, "");
  EXPECT_EQ(exported.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(exported.error_details(), "");
  EXPECT_EQ(Raw(std::string(kReader) + "GetServices", "").error_code(),
            grpc::StatusCode::UNAVAILABLE);
  grpc::ClientContext context;
  v2::GetCapabilitiesResponse capabilities;
  EXPECT_TRUE(
      v2::Capabilities::NewStub(channel_)->GetCapabilities(&context, {}, &capabilities).ok());
  server_->Open(&store_);
  EXPECT_TRUE(Raw(kExport, "").ok());
}

TEST_F(ServerTest, AnswersHealthForEveryName) {
  Start({}, false);
  const std::vector<std::string> names = {"",
                                          "jaeger.storage.v2.TraceReader",
                                          "jaeger.storage.v2.TraceWriter",
                                          "jaeger.storage.v2.DependencyReader",
                                          "jaeger.storage.v2.Capabilities",
                                          "opentelemetry.proto.collector.trace.v1.TraceService"};
  const auto health = [&](const std::string& name) {
    std::string request;
    if (!name.empty()) request = std::string("\x0a") + static_cast<char>(name.size()) + name;
    std::string reply;
    EXPECT_TRUE(Raw("/grpc.health.v1.Health/Check", request, &reply).ok()) << name;
    return reply;
  };
  for (const std::string& name : names) EXPECT_EQ(health(name), "\x08\x02") << name;
  server_->Open(&store_);
  for (const std::string& name : names) EXPECT_EQ(health(name), "\x08\x01") << name;
}

TEST_F(ServerTest, StreamsChunksAsTheStoreGaveThem) {
  store_.chunks = {TraceWithSpan("a"), TraceWithSpan("b"), TraceWithSpan("c")};
  Start();
  grpc::ClientContext context;
  v2::GetTracesRequest request;
  request.add_query()->set_trace_id("short");
  auto stream = reader_->GetTraces(&context, request);
  const std::vector<TracesData> all = ReadAll(*stream);
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].resource_spans(0).scope_spans(0).spans(0).name(), "c");
  ASSERT_EQ(store_.asked().ids.size(), 1U);
  EXPECT_EQ(store_.asked().ids[0].view(), std::string("short") + std::string(11, '\0'));
  EXPECT_EQ(store_.asked().cursors_open, 0U);
  EXPECT_EQ(store_.asked().limits.deadline_monotonic_ns, UINT64_MAX);
}

TEST_F(ServerTest, NothingFoundIsAnEmptyStream) {
  Start();
  grpc::ClientContext context;
  v2::FindTracesRequest request;
  request.mutable_query();
  auto stream = reader_->FindTraces(&context, request);
  EXPECT_TRUE(ReadAll(*stream).empty());
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(store_.asked().query.depth, 100U);
}

TEST_F(ServerTest, GapsAreToldInATrailer) {
  store_.chunks = {TraceWithSpan("a")};
  store_.gaps = {{"partition 3 segment 17", "bad checksum\xff"}};
  Start();
  grpc::ClientContext context;
  v2::GetTracesRequest request;
  auto stream = reader_->GetTraces(&context, request);
  EXPECT_EQ(ReadAll(*stream).size(), 1U);
  ASSERT_TRUE(stream->Finish().ok());
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("larder-gaps");
  ASSERT_NE(found, trailers.end());
  EXPECT_EQ(std::string(found->second.data(), found->second.size()),
            "1 unread: partition 3 segment 17 (bad checksum?)");
}

TEST_F(ServerTest, AFailedCursorFailsTheCall) {
  store_.chunks = {TraceWithSpan("a")};
  store_.cursor_end = Status::DataLoss("every copy is broken");
  Start();
  grpc::ClientContext context;
  auto stream = reader_->GetTraces(&context, v2::GetTracesRequest());
  EXPECT_EQ(ReadAll(*stream).size(), 1U);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(status.error_message(), "every copy is broken");
}

TEST_F(ServerTest, BadRequestsAreRefusedAndNeverIgnored) {
  Start();
  const struct {
    const char* method;
    std::string request;
    const char* says;
  } kCases[] = {
      {"FindTraces", "", "no query"},
      {"FindTraces", "\x0a\xff", "not a valid protobuf"},
      {"FindTraces", std::string("\x0a\x02\x4a\x00", 4), "filter"},
      {"FindTraceIDs", std::string("\x0a\x02\x4a\x00", 4), "filter"},
      {"FindTraces", std::string("\x0a\x04\x52\x02\x08\x0a", 6), "pagination"},
      {"FindTraceSummaries", std::string("\x0a\x02\x52\x00", 4), "page_size"},
      {"FindTraceIDs", std::string("\x0a\x06\x52\x04\x08\x0a\x12\x00", 8) + "\x0a\x02\x40\x05",
       "search_depth"},
      {"FindSpans", "", "no query"},
      {"GetTraces", "\x0a\x13\x0a\x11" + std::string(17, 'i'), "a trace id has 16"},
      {"GetTraces", "\x0a\x10garbage", "not a valid protobuf"},
  };
  for (const auto& bad : kCases) {
    const grpc::Status status = Raw(std::string(kReader) + bad.method, bad.request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << bad.method;
    EXPECT_NE(status.error_message().find(bad.says), std::string::npos) << status.error_message();
  }
  EXPECT_EQ(Raw("/jaeger.storage.v2.TraceReader/NoSuch", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServerTest, PageTokensComeLastAndGoBackToTheStore) {
  const TracePosition trace_end{.latest_match_ns = 3, .trace_id = {}};
  SpanPosition span_end;
  span_end.key.start_ns = 7;
  store_.summaries.resize(3);
  store_.next = trace_end;
  store_.span_chunks = {{.traces_data = TraceWithSpan("a"), .next = {}},
                        {.traces_data = TraceWithSpan("b"), .next = span_end}};
  Start();
  v2::FindTraceSummariesRequest request;
  request.mutable_query()->mutable_pagination()->set_page_size(3);
  grpc::ClientContext first_context;
  v2::FindTraceSummariesResponse summaries;
  auto first = reader_->FindTraceSummaries(&first_context, request);
  ASSERT_TRUE(first->Read(&summaries));
  EXPECT_FALSE(summaries.next_page_token().empty());
  EXPECT_EQ(store_.asked().query.depth, 3U);
  v2::FindTraceIDsRequest next;
  next.mutable_query()->mutable_pagination()->set_page_size(3);
  next.mutable_query()->mutable_pagination()->set_page_token(summaries.next_page_token());
  grpc::ClientContext second_context;
  v2::FindTraceIDsResponse ids;
  ASSERT_TRUE(reader_->FindTraceIDs(&second_context, next, &ids).ok());
  EXPECT_EQ(store_.asked().query.after, trace_end);
  EXPECT_EQ(ids.next_page_token(), summaries.next_page_token());

  v2::FindSpansRequest spans;
  spans.mutable_query()->mutable_start_time_min()->set_seconds(1);
  spans.mutable_query()->mutable_start_time_max()->set_seconds(2);
  std::string token;
  for (int page = 0; page < 2; ++page) {
    grpc::ClientContext context;
    auto stream = reader_->FindSpans(&context, spans);
    v2::FindSpansResponse chunk;
    ASSERT_TRUE(stream->Read(&chunk));
    EXPECT_EQ(chunk.spans().resource_spans_size(), 1);
    EXPECT_TRUE(chunk.next_page_token().empty());
    ASSERT_TRUE(stream->Read(&chunk));
    token = chunk.next_page_token();
    EXPECT_FALSE(stream->Read(&chunk));
    EXPECT_EQ(store_.asked().spans.page_size, page == 0 ? 1000U : 9U);
    spans.mutable_query()->mutable_pagination()->set_page_size(9);
    spans.mutable_query()->mutable_pagination()->set_page_token(token);
  }
  EXPECT_EQ(store_.asked().spans.after, span_end);
}

TEST_F(ServerTest, AnswersTheSmallQuestions) {
  store_.services = {"a", "b"};
  store_.operations = {{"op", 0}, {"op", 2}, {"op", 77}};
  store_.found = {{.trace_id = TraceId::From(std::string(16, 'x')),
                   .latest_match_ns = 3,
                   .min_start_ns = 2'000'000'001,
                   .max_end_ns = 3'000'000'000}};
  Start();
  grpc::ClientContext services_context;
  v2::GetServicesResponse services;
  ASSERT_TRUE(reader_->GetServices(&services_context, {}, &services).ok());
  EXPECT_EQ(services.services_size(), 2);

  grpc::ClientContext operations_context;
  v2::GetOperationsRequest asked;
  asked.set_service("a");
  v2::GetOperationsResponse operations;
  ASSERT_TRUE(reader_->GetOperations(&operations_context, asked, &operations).ok());
  ASSERT_EQ(operations.operations_size(), 2);
  EXPECT_EQ(operations.operations(0).span_kind(), "");
  EXPECT_EQ(operations.operations(1).span_kind(), "server");
  EXPECT_EQ(store_.asked().service, "a");
  EXPECT_EQ(store_.asked().kind, -1);

  grpc::ClientContext ids_context;
  v2::FindTraceIDsRequest find;
  find.mutable_query()->set_search_depth(20'000);
  v2::FindTraceIDsResponse ids;
  ASSERT_TRUE(reader_->FindTraceIDs(&ids_context, find, &ids).ok());
  ASSERT_EQ(ids.trace_ids_size(), 1);
  EXPECT_EQ(ids.trace_ids(0).start().seconds(), 2);
  EXPECT_EQ(ids.trace_ids(0).start().nanos(), 1);
  EXPECT_EQ(ids.trace_ids(0).end().seconds(), 3);
  EXPECT_EQ(store_.asked().query.depth, 10'000U);

  grpc::ClientContext capabilities_context;
  v2::GetCapabilitiesResponse capabilities;
  ASSERT_TRUE(v2::Capabilities::NewStub(channel_)
                  ->GetCapabilities(&capabilities_context, {}, &capabilities)
                  .ok());
  EXPECT_TRUE(capabilities.search().without_service_name());
  EXPECT_TRUE(capabilities.search().same_span_conjunction());
  EXPECT_TRUE(capabilities.search().paginated());
  EXPECT_TRUE(capabilities.search().span_search());
  EXPECT_TRUE(capabilities.search().span_sorting());
  EXPECT_EQ(capabilities.search().filter().operators_size(), 16);
  EXPECT_EQ(capabilities.search().filter().levels_size(), 5);
}

TEST_F(ServerTest, SummariesAreBatchedBelowTheClientsLimit) {
  for (int i = 0; i < 3000; ++i) {
    store_.summaries.push_back({.trace_id = TraceId::From(std::string(16, 'x')),
                                .root_service = std::string(1000, 's'),
                                .root_operation = "op",
                                .min_start_ns = 1,
                                .max_end_ns = 2,
                                .span_count = static_cast<uint32_t>(i),
                                .error_span_count = 1,
                                .orphan_span_count = 0,
                                .services = {{"s", 3, 1}}});
  }
  Start();
  grpc::ClientContext context;
  v2::FindTraceSummariesRequest request;
  request.mutable_query();
  auto stream = reader_->FindTraceSummaries(&context, request);
  int count = 0;
  int messages = 0;
  for (v2::FindTraceSummariesResponse reply; stream->Read(&reply); ++messages) {
    EXPECT_LT(reply.ByteSizeLong(), 2U << 20);
    for (const auto& summary : reply.summaries()) EXPECT_EQ(summary.span_count(), count++);
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(count, 3000);
  EXPECT_GT(messages, 1);
}

TEST_F(ServerTest, DependenciesNeedAnOrderedRange) {
  store_.dependencies = {{"a", "b", 7}};
  Start();
  const auto stub = v2::DependencyReader::NewStub(channel_);
  const auto ask = [&](int64_t start, int64_t end, v2::GetDependenciesResponse* reply) {
    grpc::ClientContext context;
    v2::GetDependenciesRequest request;
    request.mutable_start_time()->set_seconds(start);
    request.mutable_end_time()->set_seconds(end);
    return stub->GetDependencies(&context, request, reply).error_code();
  };
  v2::GetDependenciesResponse reply;
  EXPECT_EQ(ask(10, 20, &reply), grpc::StatusCode::OK);
  ASSERT_EQ(reply.dependencies_size(), 1);
  EXPECT_EQ(reply.dependencies(0).call_count(), 7U);
  EXPECT_EQ(store_.asked().range.min_ns, 10'000'000'000U);
  EXPECT_EQ(store_.asked().range.max_ns, 20'000'000'000U);
  EXPECT_EQ(ask(20, 10, &reply), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ask(-62'135'596'800, 10, &reply), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, ACancelledStreamStopsTheQuery) {
  store_.chunks = {TraceWithSpan(std::string(100'000, 'n'))};
  store_.endless = true;
  Start();
  grpc::ClientContext context;
  auto stream = reader_->GetTraces(&context, v2::GetTracesRequest());
  TracesData data;
  ASSERT_TRUE(stream->Read(&data));
  context.TryCancel();
  EXPECT_TRUE(Eventually([](const auto& asked) { return asked.cursors_open == 0; }));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, TheClientsDeadlineReachesTheStore) {
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  auto stream = reader_->GetTraces(&context, v2::GetTracesRequest());
  ReadAll(*stream);
  ASSERT_TRUE(stream->Finish().ok());
  const uint64_t now_ns = Clock::System().MonotonicNanos();
  const uint64_t deadline_ns = store_.asked().limits.deadline_monotonic_ns;
  EXPECT_GT(deadline_ns, now_ns + 30'000'000'000U);
  EXPECT_LT(deadline_ns, now_ns + 61'000'000'000U);
}

TEST_F(ServerTest, TooManyQueriesAreRefusedWithAHint) {
  store_.chunks = {TraceWithSpan(std::string(100'000, 'n'))};
  store_.endless = true;
  Start({.active_queries_max = 1});
  grpc::ClientContext context;
  auto stream = reader_->GetTraces(&context, v2::GetTracesRequest());
  TracesData data;
  ASSERT_TRUE(stream->Read(&data));
  const grpc::Status status = Raw(std::string(kReader) + "GetServices", "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_details(), "");
  context.TryCancel();
  while (stream->Read(&data)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// A reader that takes nothing: its transport takes some 64 KiB, the rest waits on the server.
std::unique_ptr<grpc::ClientReader<TracesData>> Sleep(v2::TraceReader::Stub* stub,
                                                      grpc::ClientContext* context) {
  return stub->GetTraces(context, v2::GetTracesRequest());
}

TEST_F(ServerTest, AStreamThatStallsIsEnded) {
  store_.chunks = {TraceWithSpan(std::string(1 << 20, 'n'))};
  store_.endless = true;
  Start({.stall_ms_max = 100});
  grpc::ClientContext context;
  const auto stream = Sleep(reader_.get(), &context);
  EXPECT_TRUE(Eventually([](const auto& asked) { return asked.chunks_served > 0; }));
  EXPECT_TRUE(Eventually([](const auto& asked) { return asked.cursors_open == 0; }));
  TracesData data;
  while (stream->Read(&data)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, StreamsWaitForRoomAndThenGoOn) {
  store_.chunks = {TraceWithSpan(std::string(1 << 20, 'n')), TraceWithSpan("end")};
  Start({.pending_reply_bytes_max = 1 << 20});
  constexpr int kReaders = 20;
  std::vector<grpc::ClientContext> contexts(kReaders);
  std::vector<std::unique_ptr<grpc::ClientReader<TracesData>>> streams;
  for (auto& context : contexts) streams.push_back(Sleep(reader_.get(), &context));
  EXPECT_TRUE(Eventually([](const auto& asked) { return asked.cursors_open > 0; }));
  // Read in an order that has nothing to do with who came first.
  for (int i = kReaders - 1; i >= 0; --i) {
    EXPECT_EQ(ReadAll(*streams[static_cast<size_t>(i)]).size(), 2U);
    EXPECT_TRUE(streams[static_cast<size_t>(i)]->Finish().ok());
  }
}

TEST_F(ServerTest, DrainEndsStreamsThatDoNotEndThemselves) {
  store_.chunks = {TraceWithSpan(std::string(100'000, 'n'))};
  store_.endless = true;
  Start();
  grpc::ClientContext context;
  auto stream = reader_->GetTraces(&context, v2::GetTracesRequest());
  TracesData data;
  ASSERT_TRUE(stream->Read(&data));
  server_->Drain(std::chrono::milliseconds(50));
  EXPECT_EQ(store_.asked().cursors_open, 0U);
  while (stream->Read(&data)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(ServerTest, AnAddressInUseIsNamed) {
  Start();
  const auto second = Server::Start({.listen = "127.0.0.1:" + std::to_string(server_->port())});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);
}

}  // namespace
}  // namespace larder
