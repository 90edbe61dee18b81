// The server before a real store: what comes in by OTLP is answered to Jaeger, and hostile input is
// answered well.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <jaeger/storage/v2/dependency_storage.grpc.pb.h>
#include <jaeger/storage/v2/trace_storage.grpc.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h>

#include "plugin/calls/raw_call.h"
#include "plugin/server/server.h"
#include "storage/engine/store.h"

namespace larder {
namespace {

namespace v2 = jaeger::storage::v2;
namespace collector = opentelemetry::proto::collector::trace::v1;
using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::trace::v1::Span;
using opentelemetry::proto::trace::v1::TracesData;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kNow = 1'760'000'000 * kSecondNs;
const char kExport[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

class StoreServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "larder_server_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    Open();
  }
  void TearDown() override {
    Close();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    auto store = Store::Open({.data_dir = directory_});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
    auto server = Server::Start({.listen = "127.0.0.1:0"});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
    server_->Open(store_.get());
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(4 << 20);  // as Jaeger's client
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                         grpc::InsecureChannelCredentials(), arguments);
    reader_ = v2::TraceReader::NewStub(channel_);
  }
  void Close() {
    server_.reset();
    store_.reset();
  }

  // A request with one resource; spans are added by AddSpan.
  static collector::ExportTraceServiceRequest Request(const std::string& service) {
    collector::ExportTraceServiceRequest request;
    auto* resource_spans = request.add_resource_spans();
    auto* name = resource_spans->mutable_resource()->add_attributes();
    name->set_key("service.name");
    name->mutable_value()->set_string_value(service);
    resource_spans->add_scope_spans()->mutable_scope()->set_name("test");
    return request;
  }
  static Span* AddSpan(collector::ExportTraceServiceRequest* request, char trace, char span) {
    auto* added = request->mutable_resource_spans(0)->mutable_scope_spans(0)->add_spans();
    added->set_trace_id(std::string(16, trace));
    added->set_span_id(std::string(8, span));
    added->set_name("op");
    added->set_start_time_unix_nano(kNow);
    added->set_end_time_unix_nano(kNow + 1000);
    return added;
  }

  collector::ExportTraceServiceResponse Export(const std::string& bytes) {
    std::string reply;
    const grpc::Status status = RawCall(channel_, kExport, bytes, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    collector::ExportTraceServiceResponse parsed;
    EXPECT_TRUE(parsed.ParseFromString(reply));
    return parsed;
  }
  collector::ExportTraceServiceResponse Export(
      const collector::ExportTraceServiceRequest& request) {
    return Export(request.SerializeAsString());
  }

  template <typename Stream>
  static std::vector<Span> ReadSpans(Stream stream) {
    std::vector<Span> spans;
    TracesData data;
    while (stream->Read(&data)) {
      for (const auto& resource : data.resource_spans()) {
        for (const auto& scope : resource.scope_spans()) {
          spans.insert(spans.end(), scope.spans().begin(), scope.spans().end());
        }
      }
    }
    const grpc::Status status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return spans;
  }
  std::vector<Span> Get(const std::string& trace_id) {
    grpc::ClientContext context;
    v2::GetTracesRequest request;
    request.add_query()->set_trace_id(trace_id);
    return ReadSpans(reader_->GetTraces(&context, request));
  }
  std::vector<Span> Find(const v2::TraceQueryParameters& query) {
    grpc::ClientContext context;
    v2::FindTracesRequest request;
    *request.mutable_query() = query;
    return ReadSpans(reader_->FindTraces(&context, request));
  }
  // One span goes in alone and comes out as it was.
  void ExpectRoundTrip(const collector::ExportTraceServiceRequest& request) {
    EXPECT_EQ(Export(request).partial_success().rejected_spans(), 0);
    const Span& sent = request.resource_spans(0).scope_spans(0).spans(0);
    const std::vector<Span> got = Get(sent.trace_id());
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].SerializeAsString(), sent.SerializeAsString());
  }

  std::string directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v2::TraceReader::Stub> reader_;
};

TEST_F(StoreServerTest, AnswersWhatCameInAlsoAfterARestart) {
  auto shop = Request("shop");
  AddSpan(&shop, 'A', '1')->set_kind(Span::SPAN_KIND_CLIENT);
  auto bank = Request("bank");
  Span* paid = AddSpan(&bank, 'A', '2');
  paid->set_parent_span_id(std::string(8, '1'));
  paid->set_kind(Span::SPAN_KIND_SERVER);
  paid->set_name("pay");
  Export(shop);
  Export(bank);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Get(std::string(16, 'A')).size(), 2U);
    EXPECT_TRUE(Get(std::string(16, 'B')).empty());
    v2::TraceQueryParameters query;
    query.set_service_name("bank");
    EXPECT_EQ(Find(query).size(), 2U);
    query.set_operation_name("op");
    EXPECT_TRUE(Find(query).empty());
    grpc::ClientContext services_context;
    v2::GetServicesResponse services;
    ASSERT_TRUE(reader_->GetServices(&services_context, {}, &services).ok());
    ASSERT_EQ(services.services_size(), 2);
    EXPECT_EQ(services.services(0), "bank");
    grpc::ClientContext operations_context;
    v2::GetOperationsRequest asked;
    asked.set_service("bank");
    v2::GetOperationsResponse operations;
    ASSERT_TRUE(reader_->GetOperations(&operations_context, asked, &operations).ok());
    ASSERT_EQ(operations.operations_size(), 1);
    EXPECT_EQ(operations.operations(0).span_kind(), "server");
    grpc::ClientContext dependencies_context;
    v2::GetDependenciesRequest range;
    range.mutable_start_time()->set_seconds(kNow / kSecondNs - 60);
    range.mutable_end_time()->set_seconds(kNow / kSecondNs + 60);
    v2::GetDependenciesResponse dependencies;
    ASSERT_TRUE(v2::DependencyReader::NewStub(channel_)
                    ->GetDependencies(&dependencies_context, range, &dependencies)
                    .ok());
    ASSERT_EQ(dependencies.dependencies_size(), 1);
    EXPECT_EQ(dependencies.dependencies(0).parent(), "shop");
    EXPECT_EQ(dependencies.dependencies(0).child(), "bank");
    Close();
    Open();
  }
}

TEST_F(StoreServerTest, SummariesCountTheWholeTrace) {
  auto request = Request("shop");
  AddSpan(&request, 'A', '1');
  Span* failed = AddSpan(&request, 'A', '2');
  failed->set_parent_span_id(std::string(8, '1'));
  failed->mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  AddSpan(&request, 'A', '3')->set_parent_span_id(std::string(8, '9'));
  Export(request);
  grpc::ClientContext context;
  v2::FindTraceSummariesRequest asked;
  asked.mutable_query();
  auto stream = reader_->FindTraceSummaries(&context, asked);
  v2::FindTraceSummariesResponse reply;
  ASSERT_TRUE(stream->Read(&reply));
  ASSERT_EQ(reply.summaries_size(), 1);
  const v2::TraceSummary& summary = reply.summaries(0);
  EXPECT_EQ(summary.root_service_name(), "shop");
  EXPECT_EQ(summary.span_count(), 3);
  EXPECT_EQ(summary.error_span_count(), 1);
  EXPECT_EQ(summary.orphan_span_count(), 1);
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StoreServerTest, ALargeTraceComesInChunksBelowTheClientsLimit) {
  auto request = Request("large");
  for (int i = 0; i < 10'000; ++i) {
    Span* span = AddSpan(&request, 'L', 'x');
    const std::string id = std::to_string(10'000'000 + i);
    span->set_span_id(id);
    auto* attribute = span->add_attributes();
    attribute->set_key("payload");
    attribute->mutable_value()->set_string_value(id + std::string(800, 'p'));
  }
  Export(request);
  EXPECT_EQ(Get(std::string(16, 'L')).size(), 10'000U);
}

TEST_F(StoreServerTest, BadSpansAreRejectedOneByOne) {
  auto request = Request("s");
  AddSpan(&request, 'G', '1');
  AddSpan(&request, 'x', '2')->set_trace_id(std::string(15, 'x'));
  AddSpan(&request, '\0', '3');
  AddSpan(&request, 'x', '\0');
  const auto reply = Export(request);
  EXPECT_EQ(reply.partial_success().rejected_spans(), 3);
  EXPECT_FALSE(reply.partial_success().error_message().empty());
  EXPECT_EQ(Get(std::string(16, 'G')).size(), 1U);

  auto nothing_good = Request("s");
  AddSpan(&nothing_good, '\0', '3');
  EXPECT_EQ(RawCall(channel_, kExport, nothing_good.SerializeAsString()).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StoreServerTest, BrokenBytesAreInvalid) {
  auto request = Request("s");
  AddSpan(&request, 'T', '1');
  const std::string whole = request.SerializeAsString();
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const grpc::Status status = RawCall(channel_, kExport, whole.substr(0, cut));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << cut;
  }
  EXPECT_TRUE(Get(std::string(16, 'T')).empty());
}

TEST_F(StoreServerTest, EmptyRequestsAreFine) {
  EXPECT_FALSE(Export("").has_partial_success());
  EXPECT_FALSE(Export(Request("s")).has_partial_success());
}

TEST_F(StoreServerTest, TakesRequestsOf16MiB) {
  auto request = Request("big");
  for (int i = 0; i < 32; ++i) {
    auto* attribute = AddSpan(&request, 'B', static_cast<char>('0' + i))->add_attributes();
    attribute->set_key("k");
    attribute->mutable_value()->set_string_value(std::string(512 << 10, static_cast<char>(i)));
  }
  EXPECT_GT(request.ByteSizeLong(), 16U << 20);
  EXPECT_FALSE(Export(request).has_partial_success());
  EXPECT_EQ(Get(std::string(16, 'B')).size(), 32U);
}

TEST_F(StoreServerTest, AnAttributeMayHave1MiB) {
  auto fits = Request("s");
  auto* attribute = AddSpan(&fits, 'F', '1')->add_attributes();
  attribute->set_key("k");
  attribute->mutable_value()->set_string_value(std::string(1 << 20, 'v'));
  ExpectRoundTrip(fits);
  auto request = Request("s");
  AddSpan(&request, 'H', '1');
  auto* too_large = AddSpan(&request, 'H', '2')->add_attributes();
  too_large->set_key("k");
  too_large->mutable_value()->set_string_value(std::string((1 << 20) + 1, 'v'));
  EXPECT_EQ(Export(request).partial_success().rejected_spans(), 1);
}

TEST_F(StoreServerTest, TakesAFloodOfKeys) {
  auto request = Request("keys");
  Span* span = AddSpan(&request, 'K', '1');
  for (int i = 0; i < 100'000; ++i) {
    auto* attribute = span->add_attributes();
    attribute->set_key("key." + std::to_string(i));
    attribute->mutable_value()->set_int_value(i);
  }
  ExpectRoundTrip(request);
  v2::TraceQueryParameters query;
  auto* attribute = query.add_attributes();
  attribute->set_key("key.99999");
  attribute->mutable_value()->set_string_value("99999");
  EXPECT_EQ(Find(query).size(), 1U);
}

TEST_F(StoreServerTest, TakesTimesOutOfTheOrdinary) {
  const struct {
    char trace;
    uint64_t start_ns;
    uint64_t end_ns;
  } kCases[] = {{'a', kNow, kNow - kSecondNs},              // the end before the start
                {'b', 0, 0},                                // 1970
                {'c', INT64_MAX, uint64_t{INT64_MAX} + 5},  // 2262, where signed time ends
                {'d', UINT64_MAX, UINT64_MAX}};
  for (const auto& odd : kCases) {
    auto request = Request("odd");
    Span* span = AddSpan(&request, odd.trace, '1');
    span->set_start_time_unix_nano(odd.start_ns);
    span->set_end_time_unix_nano(odd.end_ns);
    ExpectRoundTrip(request);
  }
  v2::TraceQueryParameters query;
  query.set_service_name("odd");
  EXPECT_EQ(Find(query).size(), 4U);
  // Go's zero time stands for no bound.
  query.mutable_start_time_min()->set_seconds(-62'135'596'800);
  query.mutable_start_time_max()->set_seconds(-62'135'596'800);
  EXPECT_EQ(Find(query).size(), 4U);
  query.mutable_start_time_max()->set_seconds(1);
  EXPECT_EQ(Find(query).size(), 1U);
}

TEST_F(StoreServerTest, DeepNestingIsAnsweredEitherWay) {
  auto request = Request("deep");
  AddSpan(&request, 'N', '1');
  auto* attribute = AddSpan(&request, 'N', '2')->add_attributes();
  attribute->set_key("deep");
  AnyValue* value = attribute->mutable_value();
  for (int i = 0; i < 1000; ++i) value = value->mutable_array_value()->add_values();
  value->set_int_value(7);
  const auto reply = Export(request);
  const int64_t rejected = reply.partial_success().rejected_spans();
  EXPECT_LE(rejected, 1);
  // A generated parser stops at 100 levels, so what came back is counted without one.
  v2::TraceQueryParameters query;
  query.set_service_name("deep");
  auto* searched = query.add_attributes();
  searched->set_key("deep");
  searched->mutable_value()->set_string_value("[7]");
  EXPECT_TRUE(Find(query).empty());
}

TEST_F(StoreServerTest, StringsThatAreNotUtf8ComeBack) {
  auto request = Request("bytes");
  AddSpan(&request, 'U', '1')->set_name("name-??");
  std::string bytes = request.SerializeAsString();
  bytes.replace(bytes.find("??"), 2, "\xff\xfe");
  EXPECT_FALSE(Export(bytes).has_partial_success());
  v2::GetTracesRequest asked;
  asked.add_query()->set_trace_id(std::string(16, 'U'));
  std::string reply;
  ASSERT_TRUE(RawCall(channel_, "/jaeger.storage.v2.TraceReader/GetTraces",
                      asked.SerializeAsString(), &reply)
                  .ok());
  EXPECT_NE(reply.find("name-\xff\xfe"), std::string::npos);
}

TEST_F(StoreServerTest, RetriesAreStoredOnce) {
  auto request = Request("retry");
  AddSpan(&request, 'R', '1');
  for (int i = 0; i < 5; ++i) Export(request);
  EXPECT_EQ(Get(std::string(16, 'R')).size(), 1U);
  // Equal ids with other content are spans of their own.
  auto other = Request("retry");
  AddSpan(&other, 'R', '1')->set_name("other");
  Export(other);
  EXPECT_EQ(Get(std::string(16, 'R')).size(), 2U);
}

}  // namespace
}  // namespace larder
