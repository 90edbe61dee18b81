// jaeger.storage.v1 as its clients call it, before a real store and before a fake one.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "plugin/calls/raw_call.h"
#include "plugin/store/fake_store.h"
#include "plugin/v1/test_clients.h"
#include "storage/base/log.h"
#include "storage/engine/store.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace api = jaeger::api_v2;
namespace storage = jaeger::storage::v1;

const char kWriteSpan[] = "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan";
const char kGetServices[] = "/jaeger.storage.v1.SpanReaderPlugin/GetServices";
const char kFindTraces[] = "/jaeger.storage.v1.SpanReaderPlugin/FindTraces";

storage::TraceQueryParameters Query(const std::string& service) {
  storage::TraceQueryParameters query;
  query.set_service_name(service);
  query.mutable_start_time_min()->set_seconds(kYearOne);
  query.mutable_start_time_max()->set_seconds(kYearOne);
  query.mutable_duration_min();
  query.mutable_duration_max();
  return query;
}

class V1StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::Open({.data_dir = directory_.path()});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
    remote_ = std::make_unique<Remote>(store_.get());
  }
  void TearDown() override { remote_.reset(); }

  void Write(const api::Span& span) {
    const grpc::Status status = remote_->Write(span);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  // The trace ids of a search, as their first letters.
  std::string Find(const storage::TraceQueryParameters& query) {
    grpc::Status status;
    std::string found;
    for (const api::Span& span : SpansOf(remote_->Find(query, &status))) {
      if (found.empty() || found.back() != span.trace_id()[0]) found += span.trace_id()[0];
    }
    EXPECT_TRUE(status.ok()) << status.error_message();
    return found;
  }
  std::string FindByTag(const std::string& key, const std::string& value) {
    storage::TraceQueryParameters query = Query("");
    (*query.mutable_tags())[key] = value;
    return Find(query);
  }

  ScratchDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Remote> remote_;
};

TEST_F(V1StoreTest, ASpanComesBackAsItWas) {
  api::Span span = MakeSpan('a', 1);
  AddTag(&span, "key", "value");
  span.set_flags(1);
  Write(span);
  grpc::Status status;
  const std::vector<api::Span> got = SpansOf(remote_->Get(span.trace_id(), &status));
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].SerializeAsString(), span.SerializeAsString());
}

TEST_F(V1StoreTest, AnUnknownTraceIsNotFoundByTheWordsThatJaegerKnows) {
  for (const std::string& id : {std::string(16, 'n'), std::string(16, '\0')}) {
    grpc::Status status;
    EXPECT_TRUE(remote_->Get(id, &status).empty());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(status.error_message(), "trace not found");
  }
}

TEST_F(V1StoreTest, SearchesInItsOrderAndWithItsBounds) {
  Write(MakeSpan('a', 1));
  Write(MakeSpan('b', 2));
  Write(MakeSpan('c', 3, "back"));
  EXPECT_EQ(Find(Query("front")), "ba");
  EXPECT_EQ(Find(Query("")), "cba");
  EXPECT_EQ(Find(Query("nobody")), "");
  storage::TraceQueryParameters query = Query("");
  query.set_num_traces(2);
  EXPECT_EQ(Find(query), "cb");
  query = Query("");
  query.mutable_start_time_max()->set_seconds(kNowSeconds + 2);
  EXPECT_EQ(Find(query), "ba");
  query.mutable_start_time_min()->set_seconds(kNowSeconds + 2);
  EXPECT_EQ(Find(query), "b");
  query = Query("");
  query.mutable_duration_min()->set_nanos(5001);
  EXPECT_EQ(Find(query), "");
  query.mutable_duration_min()->set_nanos(5000);
  query.mutable_duration_max()->set_nanos(5000);
  EXPECT_EQ(Find(query), "cba");

  grpc::ClientContext context;
  storage::FindTraceIDsRequest request;
  *request.mutable_query() = Query("front");
  storage::FindTraceIDsResponse reply;
  ASSERT_TRUE(remote_->reader->FindTraceIDs(&context, request, &reply).ok());
  ASSERT_EQ(reply.trace_ids_size(), 2);
  EXPECT_EQ(reply.trace_ids(0), std::string(16, 'b'));
}

TEST_F(V1StoreTest, FindsTagsThatBecameFields) {
  api::Span span = MakeSpan('a', 1);
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"span.kind", "client"},
                                                        {"otel.scope.name", "lib"},
                                                        {"otel.scope.version", "v7"},
                                                        {"otel.status_code", "ERROR"},
                                                        {"otel.status_description", "broke"},
                                                        {"w3c.tracestate", "k=v"},
                                                        {"plain", "42"}}) {
    AddTag(&span, key, value);
  }
  api::KeyValue* event = span.add_logs()->add_fields();
  event->set_key("event");
  event->set_v_str("retry");
  event = span.mutable_logs(0)->add_fields();
  event->set_key("n");
  event->set_v_type(api::INT64);
  event->set_v_int64(3);
  api::KeyValue* host = span.mutable_process()->add_tags();
  host->set_key("hostname");
  host->set_v_str("h1");
  Write(span);
  Write(MakeSpan('b', 2));

  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"span.kind", "client"},
                                                        {"otel.scope.name", "lib"},
                                                        {"otel.scope.version", "v7"},
                                                        {"otel.status_code", "ERROR"},
                                                        {"otel.status_description", "broke"},
                                                        {"error", "true"},
                                                        {"w3c.tracestate", "k=v"},
                                                        {"plain", "42"},
                                                        {"event", "retry"},
                                                        {"n", "3"},
                                                        {"hostname", "h1"}}) {
    EXPECT_EQ(FindByTag(key, value), "a") << key;
    EXPECT_EQ(FindByTag(key, value + "x"), "") << key;
  }
  EXPECT_EQ(FindByTag("span.kind", ""), "");
  EXPECT_EQ(FindByTag("error", "false"), "");
}

TEST_F(V1StoreTest, FindsNumbersAndBytesByTheTextThatJaegerGivesThem) {
  api::Span span = MakeSpan('a', 1);
  api::KeyValue* load = span.add_tags();
  load->set_key("load");
  load->set_v_type(api::FLOAT64);
  load->set_v_float64(0.1 + 0.2);
  api::KeyValue* payload = span.add_tags();
  payload->set_key("payload");
  payload->set_v_type(api::BINARY);
  payload->set_v_binary(std::string("\0\xfe\xff", 3));
  Write(span);
  EXPECT_EQ(FindByTag("load", "0.3"), "a");
  EXPECT_EQ(FindByTag("load", "0.30000000000000004"), "a");  // as the page shows it
  EXPECT_EQ(FindByTag("load", "0.30"), "");
  EXPECT_EQ(FindByTag("payload", "00feff"), "a");
  EXPECT_EQ(FindByTag("payload", "AP7/"), "a");  // as up to v1.57 it was called
  EXPECT_EQ(FindByTag("payload", "00fe"), "");
  EXPECT_EQ(FindByTag("service.name", "front"), "");  // the name of the process is no tag
}

TEST_F(V1StoreTest, ServicesOperationsDependencies) {
  api::Span child = MakeSpan('a', 2, "back");
  AddTag(&child, "span.kind", "server");
  api::SpanRef* parent = child.add_references();
  parent->set_trace_id(child.trace_id());
  parent->set_span_id(MakeSpan('a', 1).span_id());
  Write(MakeSpan('a', 1));
  Write(child);

  storage::GetServicesResponse services;
  grpc::ClientContext for_services;
  ASSERT_TRUE(remote_->reader->GetServices(&for_services, {}, &services).ok());
  ASSERT_EQ(services.services_size(), 2);
  EXPECT_EQ(services.services(0), "back");

  const auto operations = [&](const std::string& service, const std::string& kind) {
    grpc::ClientContext context;
    storage::GetOperationsRequest request;
    request.set_service(service);
    request.set_span_kind(kind);
    storage::GetOperationsResponse reply;
    EXPECT_TRUE(remote_->reader->GetOperations(&context, request, &reply).ok());
    std::string text;
    for (const auto& each : reply.operations()) text += each.name() + ":" + each.span_kind() + " ";
    return text;
  };
  EXPECT_EQ(operations("back", ""), "GET:server ");
  EXPECT_EQ(operations("back", "server"), "GET:server ");
  EXPECT_EQ(operations("back", "client"), "");
  EXPECT_EQ(operations("back", "nonsense"), "");
  EXPECT_EQ(operations("front", "unspecified"), "GET: ");

  auto dependencies = storage::DependenciesReaderPlugin::NewStub(remote_->channel);
  grpc::ClientContext context;
  storage::GetDependenciesRequest request;
  request.mutable_start_time()->set_seconds(kNowSeconds - 10);
  request.mutable_end_time()->set_seconds(kNowSeconds + 10);
  storage::GetDependenciesResponse reply;
  ASSERT_TRUE(dependencies->GetDependencies(&context, request, &reply).ok());
  ASSERT_EQ(reply.dependencies_size(), 1);
  EXPECT_EQ(reply.dependencies(0).parent(), "front");
  EXPECT_EQ(reply.dependencies(0).child(), "back");
  EXPECT_EQ(reply.dependencies(0).call_count(), 1U);
}

TEST_F(V1StoreTest, ChunksAreSmallAndOfOneTrace) {
  grpc::ClientContext context;
  storage::WriteSpanResponse reply;
  const auto stream = remote_->streaming_writer->WriteSpanStream(&context, &reply);
  storage::WriteSpanRequest request;
  for (int i = 0; i < 2500; ++i) {
    *request.mutable_span() = MakeSpan(i % 2 == 0 ? 'a' : 'b', i);
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->WritesDone());
  ASSERT_TRUE(stream->Finish().ok());
  api::Span large = MakeSpan('a', 9000);
  AddTag(&large, "large", std::string(900 << 10, 'x'));
  for (int i = 0; i < 6; ++i) {
    large.set_span_id("large00" + std::to_string(i));
    Write(large);
  }
  grpc::Status status;
  const Remote::Chunks chunks = remote_->Find(Query("front"), &status);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::string traces;
  size_t spans = 0;
  for (const auto& chunk : chunks) {
    ASSERT_GT(chunk.spans_size(), 0);
    EXPECT_LE(chunk.spans_size(), 1000);
    EXPECT_LE(chunk.ByteSizeLong(), 4U << 20);
    for (const api::Span& span : chunk.spans()) {
      EXPECT_EQ(span.trace_id(), chunk.spans(0).trace_id());
    }
    if (traces.empty() || traces.back() != chunk.spans(0).trace_id()[0]) {
      traces += chunk.spans(0).trace_id()[0];
    }
    spans += static_cast<size_t>(chunk.spans_size());
  }
  EXPECT_EQ(traces, "ab");
  EXPECT_EQ(spans, 2506U);
}

TEST_F(V1StoreTest, ManyStreamsWriteAndEnd) {
  constexpr int kStreams = 60;
  constexpr int kSpans = 50;
  struct Stream {
    grpc::ClientContext context;
    storage::WriteSpanResponse reply;
    std::unique_ptr<grpc::ClientWriter<storage::WriteSpanRequest>> writer;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < kStreams; ++i) {
    streams.push_back(std::make_unique<Stream>());
    Stream& stream = *streams.back();
    stream.writer = remote_->streaming_writer->WriteSpanStream(&stream.context, &stream.reply);
  }
  for (int k = 0; k < kSpans; ++k) {
    for (int i = 0; i < kStreams; ++i) {
      storage::WriteSpanRequest request;
      *request.mutable_span() = MakeSpan('a', i * kSpans + k);
      ASSERT_TRUE(streams[static_cast<size_t>(i)]->writer->Write(request));
    }
  }
  for (const auto& stream : streams) {
    ASSERT_TRUE(stream->writer->WritesDone());
    const grpc::Status status = stream->writer->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  grpc::Status status;
  EXPECT_EQ(SpansOf(remote_->Get(std::string(16, 'a'), &status)).size(), size_t{kStreams * kSpans});
}

TEST_F(V1StoreTest, ABrokenSpanDoesNotEndItsStream) {
  grpc::ClientContext context;
  storage::WriteSpanResponse reply;
  const auto stream = remote_->streaming_writer->WriteSpanStream(&context, &reply);
  storage::WriteSpanRequest request;
  EXPECT_TRUE(stream->Write(request));  // no span
  *request.mutable_span() = MakeSpan('a', 1);
  request.mutable_span()->set_trace_id("short");
  EXPECT_TRUE(stream->Write(request));
  *request.mutable_span() = MakeSpan('a', 1);
  EXPECT_TRUE(stream->Write(request));
  EXPECT_TRUE(stream->WritesDone());
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("2 spans were not stored"), std::string::npos)
      << status.error_message();
  grpc::Status read;
  EXPECT_EQ(SpansOf(remote_->Get(std::string(16, 'a'), &read)).size(), 1U);
}

TEST_F(V1StoreTest, WhatACancelledStreamBroughtIsKept) {
  std::atomic<int> warnings{0};
  SetLogSink([&](LogLevel, std::string_view message, std::initializer_list<LogField>) {
    if (message.find("v1.streaming") != std::string_view::npos) ++warnings;
  });
  for (int round = 0; round < 2; ++round) {
    grpc::ClientContext context;
    storage::WriteSpanResponse reply;
    const auto stream = remote_->streaming_writer->WriteSpanStream(&context, &reply);
    for (int i = 0; i < 20; ++i) {
      storage::WriteSpanRequest request;
      *request.mutable_span() = MakeSpan('a', i);
      ASSERT_TRUE(stream->Write(request));
    }
    while (store_->stats().spans_accepted == 0) std::this_thread::yield();
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  Write(MakeSpan('b', 1));  // the server goes on
  EXPECT_GE(store_->stats().spans_accepted, 2U);
  while (warnings == 0) std::this_thread::yield();
  remote_.reset();  // both streams are over
  EXPECT_EQ(warnings, 1);
  SetLogToStderr(LogLevel::kInfo, LogFormat::kText);
}

TEST_F(V1StoreTest, OneBadSpanOfABatchHarmsNoOther) {
  std::atomic<int> refused{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 20; ++i) {
        api::Span span = MakeSpan('a', client * 20 + i);
        const bool is_bad = client == 0;
        if (is_bad) AddTag(&span, "above the limit", std::string((1 << 20) + 1, 'x'));
        const grpc::Status status = remote_->Write(span);
        EXPECT_EQ(status.ok(), !is_bad) << status.error_message();
        if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) ++refused;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, 20);
  grpc::Status status;
  EXPECT_EQ(SpansOf(remote_->Get(std::string(16, 'a'), &status)).size(), 7U * 20);
}

TEST_F(V1StoreTest, CloseOnlyFlushes) {
  Write(MakeSpan('a', 1));
  grpc::ClientContext context;
  storage::CloseWriterResponse reply;
  EXPECT_TRUE(remote_->writer->Close(&context, {}, &reply).ok());
  Write(MakeSpan('a', 2));
}

// Go's clients check no string, ours would refuse the message: so bytes are sent and looked at.
TEST_F(V1StoreTest, TextThatIsNotUtf8ComesBackAndIsFound) {
  api::Span span = MakeSpan('a', 1, "front?");
  AddTag(&span, "key?", "value?");
  storage::WriteSpanRequest write;
  *write.mutable_span() = span;
  const auto broken = [](std::string message) {
    for (char& c : message) {
      if (c == '?') c = '\xff';
    }
    return message;
  };
  ASSERT_TRUE(RawCall(remote_->channel, kWriteSpan, broken(write.SerializeAsString())).ok());

  std::string reply;
  ASSERT_TRUE(RawCall(remote_->channel, kGetServices, "", &reply).ok());
  EXPECT_NE(reply.find("front\xff"), std::string::npos);
  storage::FindTracesRequest find;
  *find.mutable_query() = Query("front?");
  (*find.mutable_query()->mutable_tags())["key?"] = "value?";
  ASSERT_TRUE(
      RawCall(remote_->channel, kFindTraces, broken(find.SerializeAsString()), &reply).ok());
  EXPECT_NE(reply.find(broken(span.SerializeAsString())), std::string::npos);
}

TEST_F(V1StoreTest, HostileRequestsAreRefused) {
  for (const char* method : {kWriteSpan, kFindTraces}) {
    for (const std::string& request : {std::string(), std::string("\xff\xff\xff")}) {
      EXPECT_EQ(RawCall(remote_->channel, method, request).error_code(),
                grpc::StatusCode::INVALID_ARGUMENT)
          << method;
    }
  }
  grpc::Status status;
  remote_->Get("seven b", &status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(V1StoreTest, TooManyTagsAreRefused) {
  storage::FindTracesRequest find;
  *find.mutable_query() = Query("front");
  auto* const tags = find.mutable_query()->mutable_tags();
  for (int i = 0; i < 10'000; ++i) (*tags)["k" + std::to_string(i)] = "v";
  EXPECT_TRUE(RawCall(remote_->channel, kFindTraces, find.SerializeAsString()).ok());
  (*tags)["one more"] = "v";
  const auto refused = RawCall(remote_->channel, kFindTraces, find.SerializeAsString());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(refused.error_message().find("tags: more than 10000"), std::string::npos);
}

TEST(V1ServicesTest, AKindThatIsMissingHasTheWordOfTheSettings) {
  FakeStore store;
  store.operations = {{"GET", 0}, {"GET", 3}};
  Remote remote(&store, {.v1 = {.no_kind = "unspecified"}});
  grpc::ClientContext context;
  storage::GetOperationsResponse reply;
  ASSERT_TRUE(remote.reader->GetOperations(&context, {}, &reply).ok());
  ASSERT_EQ(reply.operations_size(), 2);
  EXPECT_EQ(reply.operations(0).span_kind(), "unspecified");
  EXPECT_EQ(reply.operations(1).span_kind(), "client");
}

TEST(V1ServicesTest, ConcurrentSpansShareARequest) {
  FakeStore store;
  constexpr int kClients = 10;
  constexpr int kSpansEach = 20;
  std::atomic<int> requests{0};
  std::atomic<int> started{0};
  store.on_write = [&](std::string_view) {
    // A slow disk: what comes meanwhile waits for the next request.
    if (++requests == 1) {
      while (started < kClients) std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return WriteResult();
  };
  Remote remote(&store);
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      ++started;
      for (int i = 0; i < kSpansEach; ++i) {
        EXPECT_TRUE(remote.Write(MakeSpan('a', client * kSpansEach + i)).ok());
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_LT(requests, kClients * kSpansEach);
  std::cout << "200 spans in " << requests << " requests\n";
}

// Looking through an archive takes its time.
TEST(V1ServicesTest, WritersDoNotWaitForTheArchive) {
  FakeStore store;
  std::atomic<bool> archiving{false};
  std::atomic<bool> written{false};
  std::atomic<bool> written_meanwhile{false};
  store.on_write = [&](std::string_view otlp) {
    if (otlp.find("archived") == std::string_view::npos) {
      written = true;
      return WriteResult();
    }
    archiving = true;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!written && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    written_meanwhile = written.load();
    return WriteResult();
  };
  Remote remote(&store);
  std::thread archiver([&] {
    const auto writer = storage::ArchiveSpanWriterPlugin::NewStub(remote.channel);
    grpc::ClientContext context;
    storage::WriteSpanRequest request;
    *request.mutable_span() = MakeSpan('a', 1, "archived");
    storage::WriteSpanResponse reply;
    EXPECT_TRUE(writer->WriteArchiveSpan(&context, request, &reply).ok());
  });
  while (!archiving) std::this_thread::yield();
  EXPECT_TRUE(remote.Write(MakeSpan('b', 1, "plain")).ok());
  archiver.join();
  EXPECT_TRUE(written_meanwhile);
}

TEST(V1ServicesTest, WaitsForAStoreThatIsOverloadedOrNotThereYet) {
  FakeStore store;
  std::atomic<int> refusals{3};
  store.on_write = [&](std::string_view) {
    WriteResult result;
    if (refusals-- > 0) {
      result.status = Status::ResourceExhausted("busy");
      result.retry_after_ms = 10;
    }
    return result;
  };
  Remote remote(nullptr);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    remote.server().Open(&store);
  });
  EXPECT_TRUE(remote.Write(MakeSpan('a', 1)).ok());
  EXPECT_LT(refusals, 0);
  later.join();
}

TEST(V1ServicesTest, AStopEndsIdleStreamsAtOnce) {
  FakeStore store;
  Remote remote(&store);
  grpc::ClientContext context;
  storage::WriteSpanResponse reply;
  const auto stream = remote.streaming_writer->WriteSpanStream(&context, &reply);
  storage::WriteSpanRequest request;
  *request.mutable_span() = MakeSpan('a', 1);
  ASSERT_TRUE(stream->Write(request));
  while (store.asked().otlp.empty()) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  remote.server().Drain(std::chrono::seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace larder
