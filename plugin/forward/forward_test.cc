// Servers of several processes on one data directory, all in this one: who owns, who forwards, and
// what clients see of a change.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h>
#include <sys/stat.h>

#include "plugin/forward/forwarder.h"
#include "plugin/forward/member_for_test.h"
#include "plugin/forward/owner_socket.h"
#include "plugin/forward/ownership.h"
#include "plugin/forward/raw_http2.h"
#include "plugin/v1/test_clients.h"
#include "storage/engine/store.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace api = jaeger::api_v2;
namespace storage = jaeger::storage::v1;

using WriteStream = std::unique_ptr<grpc::ClientWriter<storage::WriteSpanRequest>>;

// The ids of the spans of a trace, as often as they come.
std::multiset<std::string> SpanIds(Member* member, char trace) {
  grpc::Status status;
  const Clients::Chunks chunks = member->clients->Get(std::string(16, trace), &status);
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::multiset<std::string> ids;
  for (const api::Span& span : SpansOf(chunks)) ids.insert(span.span_id());
  return ids;
}

std::multiset<std::string> IdsOf(int count) {
  std::multiset<std::string> ids;
  for (int i = 0; i < count; ++i) ids.insert(MakeSpan('x', i).span_id());
  return ids;
}

void Send(WriteStream& stream, const api::Span& span) {
  storage::WriteSpanRequest request;
  *request.mutable_span() = span;
  ASSERT_TRUE(stream->Write(request));
}

class ForwardTest : public testing::Test {
 protected:
  std::string dir() const { return directory_.path(); }

  const ScratchDirectory directory_;
};

TEST_F(ForwardTest, WritesAndReadsGoToTheOwner) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  ASSERT_TRUE(other.forwarder().HasOwner(std::chrono::seconds(20)));
  api::Span span = MakeSpan('a', 0);
  AddTag(&span, "bytes", "value");
  ASSERT_TRUE(other.clients->Write(span).ok());
  for (Member* member : {&owner, &other}) {
    grpc::Status status;
    const auto got = SpansOf(member->clients->Get(std::string(16, 'a'), &status));
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].SerializeAsString(), span.SerializeAsString());
    EXPECT_TRUE(member->clients->Get(std::string(16, 'z'), &status).empty());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(status.error_message(), "trace not found");
    grpc::ClientContext context;
    storage::GetServicesResponse services;
    ASSERT_TRUE(member->clients->reader->GetServices(&context, {}, &services).ok());
    ASSERT_EQ(services.services_size(), 1);
    EXPECT_EQ(services.services(0), "front");
  }
  EXPECT_EQ(owner.store().stats().spans_accepted, 1U);
}

TEST_F(ForwardTest, TheArchiveIsForwardedAsTheArchive) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  grpc::ClientContext write_context;
  storage::WriteSpanRequest request;
  *request.mutable_span() = MakeSpan('a', 0);
  storage::WriteSpanResponse reply;
  const auto writer = storage::ArchiveSpanWriterPlugin::NewStub(other.clients->channel);
  ASSERT_TRUE(writer->WriteArchiveSpan(&write_context, request, &reply).ok());
  grpc::ClientContext context;
  storage::GetTraceRequest get;
  get.set_trace_id(std::string(16, 'a'));
  grpc::Status status;
  const auto reader = storage::ArchiveSpanReaderPlugin::NewStub(other.clients->channel);
  EXPECT_EQ(SpansOf(Clients::ReadAll(reader->GetArchiveTrace(&context, get), &status)).size(), 1U);
  EXPECT_TRUE(other.clients->Get(std::string(16, 'a'), &status).empty());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ForwardTest, ForwardsOtlpAndLongStreams) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  constexpr int kSpans = 3000;
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  auto* spans = request.add_resource_spans()->add_scope_spans();
  for (int i = 0; i < kSpans; ++i) {
    auto* span = spans->add_spans();
    span->set_trace_id(std::string(16, 'a'));
    span->set_span_id(MakeSpan('a', i).span_id());
    span->set_name(std::string(2000, 'n'));
    span->set_start_time_unix_nano(kNowSeconds * 1'000'000'000);
  }
  grpc::ClientContext context;
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse reply;
  const auto exporter =
      opentelemetry::proto::collector::trace::v1::TraceService::NewStub(other.clients->channel);
  const grpc::Status exported = exporter->Export(&context, request, &reply);
  ASSERT_TRUE(exported.ok()) << exported.error_message();
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(kSpans));  // several messages
}

TEST_F(ForwardTest, CallsWaitForAnOwner) {
  Member early(dir());
  constexpr int kSpans = 20;
  std::vector<std::future<grpc::Status>> writes;
  for (int i = 0; i < kSpans; ++i) {
    writes.push_back(
        std::async(std::launch::async, [&, i] { return early.clients->Write(MakeSpan('a', i)); }));
  }
  std::future<grpc::Status> read = std::async(std::launch::async, [&] {
    grpc::Status status;
    early.clients->Get(std::string(16, 'z'), &status);
    return status;
  });
  EXPECT_EQ(read.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  Member owner(dir());
  owner.Own();
  for (auto& write : writes) EXPECT_TRUE(write.get().ok());
  EXPECT_EQ(read.get().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(SpanIds(&early, 'a'), IdsOf(kSpans));
}

// It has the store, so what it holds need not wait for a socket; others may get one later.
TEST_F(ForwardTest, AnOwnerThatCannotServeOthersAnswersWhatItHolds) {
  const std::string socket = directory_.File("OWNER.sock");
  std::filesystem::create_directories(socket + "/in the way");
  Member heir(dir());
  std::vector<std::future<grpc::Status>> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(
        std::async(std::launch::async, [&, i] { return heir.clients->Write(MakeSpan('a', i)); }));
  }
  held.push_back(std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    storage::GetServicesResponse services;
    return heir.clients->reader->GetServices(&context, {}, &services);
  }));
  for (auto& call : held) {
    ASSERT_EQ(call.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  }
  heir.Own();
  for (auto& call : held) {
    const grpc::Status status = call.get();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_EQ(SpanIds(&heir, 'a'), IdsOf(5));
  std::filesystem::remove_all(socket);
  heir.ServeOthers();
  Member other(dir());
  EXPECT_TRUE(other.clients->Write(MakeSpan('b', 0)).ok());
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(5));
}

TEST_F(ForwardTest, NothingIsLostWhenTheOwnerLeaves) {
  auto owner = std::make_unique<Member>(dir());
  Member heir(dir());
  owner->Own();
  grpc::ClientContext context;
  storage::WriteSpanResponse reply;
  WriteStream stream = heir.clients->streaming_writer->WriteSpanStream(&context, &reply);
  Send(stream, MakeSpan('s', 0));
  std::atomic<int> written{0};
  std::atomic<bool> stop{false};
  std::future<int> lost = std::async(std::launch::async, [&] {
    int failures = 0;
    while (!stop || written < 50) {
      if (!heir.clients->Write(MakeSpan('a', written++)).ok()) ++failures;
    }
    return failures;
  });
  while (written < 20) std::this_thread::yield();
  owner.reset();
  Send(stream, MakeSpan('s', 1));  // to nobody as yet
  heir.Own();
  Send(stream, MakeSpan('s', 2));
  stop = true;
  EXPECT_EQ(lost.get(), 0);
  ASSERT_TRUE(stream->WritesDone());
  const grpc::Status ended = stream->Finish();
  EXPECT_TRUE(ended.ok()) << ended.error_message();
  EXPECT_EQ(SpanIds(&heir, 'a'), IdsOf(written));
  EXPECT_EQ(SpanIds(&heir, 's'), IdsOf(3));
}

TEST_F(ForwardTest, OneThatCannotOpenTheStoreForwardsToTheNextOwner) {
  Member unlucky(dir());
  Member other(dir());
  std::ofstream(directory_.File("db")) << "no directory";
  unlucky.FailToOwn();
  std::filesystem::remove(directory_.File("db"));
  other.Own();
  EXPECT_TRUE(unlucky.clients->Write(MakeSpan('a', 0)).ok());
  EXPECT_TRUE(other.clients->Write(MakeSpan('a', 1)).ok());
  EXPECT_EQ(SpanIds(&unlucky, 'a'), IdsOf(2));
  other.Leave();
  unlucky.Own();
  EXPECT_EQ(SpanIds(&unlucky, 'a'), IdsOf(2));
}

TEST_F(ForwardTest, OtlpThatDoesNotFitBesideWhatWaitsIsToldToComeAgain) {
  Member early(dir(), {.memory_bytes_max = 2 << 20});  // 256 KiB of it for exports
  const auto exporter =
      opentelemetry::proto::collector::trace::v1::TraceService::NewStub(early.clients->channel);
  const auto export_named = [&exporter](const std::string& name,
                                        std::chrono::milliseconds patience) {
    opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
    auto* span = request.add_resource_spans()->add_scope_spans()->add_spans();
    span->set_trace_id(std::string(16, 'a'));
    span->set_span_id(MakeSpan('a', 1).span_id());
    span->set_name(name);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse reply;
    return exporter->Export(&context, request, &reply);
  };
  std::atomic<bool> is_owned{false};
  std::future<grpc::Status> waits = std::async(std::launch::async, [&] {
    for (;;) {  // fits alone, and either may come first
      grpc::Status sent = export_named(std::string(1 << 20, 'n'), std::chrono::seconds(60));
      const bool is_refused = sent.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
      if (!is_refused || is_owned) return sent;
    }
  });
  grpc::Status refused;
  while (refused.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) {
    ASSERT_EQ(waits.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    refused = export_named("small", std::chrono::milliseconds(300));
  }
  EXPECT_NE(refused.error_details().find("google.rpc.RetryInfo"), std::string::npos);
  is_owned = true;
  early.Own();
  const grpc::Status waited = waits.get();
  EXPECT_TRUE(waited.ok()) << waited.error_message();
  EXPECT_TRUE(export_named("small", std::chrono::seconds(60)).ok());
}

// A host that writes on while nobody owns the directory.
TEST_F(ForwardTest, SpansThatWaitAreBounded) {
  Member lonely(dir());
  constexpr size_t kSpanBytes = 4 << 20;
  std::vector<std::future<grpc::Status>> writes;
  grpc::Status refused;
  while (refused.ok() && writes.size() < 40) {
    api::Span span = MakeSpan('a', static_cast<int>(writes.size()));
    AddTag(&span, "large", std::string(kSpanBytes, 'v'));
    writes.push_back(
        std::async(std::launch::async, [&, span] { return lonely.clients->Write(span); }));
    if (writes.back().wait_for(std::chrono::milliseconds(200)) == std::future_status::ready) {
      refused = writes.back().get();
      writes.pop_back();
    }
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  EXPECT_NE(refused.error_details().find("google.rpc.RetryInfo"), std::string::npos);
  EXPECT_GE(writes.size() * kSpanBytes, 64U << 20);
  EXPECT_LE(writes.size() * kSpanBytes, 80U << 20);
  lonely.Leave();
  for (auto& write : writes) EXPECT_EQ(write.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// An owner that goes in the middle of an answer: what came cannot be taken back, nor sent twice.
class OwnerThatBreaksOff final : public storage::SpanReaderPlugin::Service {
 public:
  explicit OwnerThatBreaksOff(const std::string& data_dir) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + data_dir + "/OWNER.sock", grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  grpc::Status GetTrace(grpc::ServerContext* /*context*/,
                        const storage::GetTraceRequest* /*request*/,
                        grpc::ServerWriter<storage::SpansResponseChunk>* writer) override {
    ++calls;
    storage::SpansResponseChunk chunk;
    *chunk.add_spans() = MakeSpan('a', 0);
    writer->Write(chunk);
    return {grpc::StatusCode::UNAVAILABLE, "gone"};
  }

  std::atomic<int> calls = 0;

 private:
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ForwardTest, AnAnswerThatBreaksOffIsNotBegunAnew) {
  OwnerThatBreaksOff owner(dir());
  Member other(dir());
  grpc::Status status;
  const auto spans = SpansOf(other.clients->Get(std::string(16, 'a'), &status));
  EXPECT_EQ(spans.size(), 1U);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("owns the data directory"), std::string::npos)
      << status.error_message();
  EXPECT_EQ(owner.calls, 1);
}

TEST_F(ForwardTest, GivesUpInTheEnd) {
  Member lonely(dir(), {}, /*hold_ms=*/200);
  const grpc::Status write = lonely.clients->Write(MakeSpan('a', 0));
  EXPECT_EQ(write.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(write.error_message().find("owns the data directory"), std::string::npos);
  grpc::Status read;
  lonely.clients->Get(std::string(16, 'a'), &read);
  EXPECT_EQ(read.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(read.error_message().find("owns the data directory"), std::string::npos);
}

// A host waits for the end of its plugin without a deadline of its own.
TEST_F(ForwardTest, AFlushIsNotHeldByAnOwnerThatIsNotThere) {
  Member lonely(dir(), {}, /*hold_ms=*/600'000);
  std::future<grpc::Status> write =
      std::async(std::launch::async, [&] { return lonely.clients->Write(MakeSpan('a', 0)); });
  ASSERT_EQ(write.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  std::promise<void> flushed;
  lonely.server().FlushV1([&] { flushed.set_value(); }, std::chrono::milliseconds(100));
  ASSERT_EQ(flushed.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(write.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ForwardTest, ACallIsHeldForNoLongerThanItsClientWaits) {
  Member lonely(dir());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  storage::GetServicesResponse services;
  // It ends a moment before the deadline, so that the reason may still get there.
  const grpc::StatusCode code =
      lonely.clients->reader->GetServices(&context, {}, &services).error_code();
  EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED)
      << code;
  grpc::ClientContext cancelled;
  std::future<grpc::Status> read = std::async(std::launch::async, [&] {
    return lonely.clients->reader->GetServices(&cancelled, {}, &services);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  cancelled.TryCancel();
  EXPECT_EQ(read.get().error_code(), grpc::StatusCode::CANCELLED);
  lonely.Leave();  // with nothing left that waits
}

TEST_F(ForwardTest, TheOwnerDecidesAboutTenants) {
  ServerOptions options;
  options.tenancy.enabled = true;
  Member owner(dir(), options);
  Member other(dir(), options);
  owner.Own();
  const auto write = [&](const char* tenant) {
    grpc::ClientContext context;
    if (tenant != nullptr) context.AddMetadata("x-tenant", tenant);
    storage::WriteSpanRequest request;
    *request.mutable_span() = MakeSpan('a', tenant == nullptr ? 0 : tenant[0]);
    storage::WriteSpanResponse reply;
    return other.clients->writer->WriteSpan(&context, request, &reply).error_code();
  };
  EXPECT_EQ(write(nullptr), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(write("acme"), grpc::StatusCode::OK);
  EXPECT_EQ(write("beta"), grpc::StatusCode::OK);
  for (Member* member : {&owner, &other}) {
    grpc::ClientContext context;
    context.AddMetadata("x-tenant", "acme");
    storage::GetTraceRequest get;
    get.set_trace_id(std::string(16, 'a'));
    grpc::Status status;
    const auto spans =
        SpansOf(Clients::ReadAll(member->clients->reader->GetTrace(&context, get), &status));
    ASSERT_EQ(spans.size(), 1U) << status.error_message();
    EXPECT_EQ(spans[0].span_id(), MakeSpan('a', 'a').span_id());
  }
}

TEST_F(ForwardTest, ASpanThatIsRejectedSaysWhy) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  api::Span span = MakeSpan('a', 0);
  AddTag(&span, "long", std::string(2 << 20, 'v'));  // above attribute_value_bytes_max
  const grpc::Status status = other.clients->Write(span);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(owner.clients->Write(span).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// What the owner's own host would be told, and at once: there is nothing to wait for.
TEST_F(ForwardTest, AnOwnerThatCannotWriteIsNotOneThatDoesNotAnswer) {
  {
    Member first(dir());
    first.Own();
    ASSERT_TRUE(first.clients->Write(MakeSpan('a', 0)).ok());
  }
  Member owner(dir());
  Member other(dir(), {}, /*hold_ms=*/2'000);
  owner.Own(/*read_only=*/true);
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(1));
  const auto exporter =
      opentelemetry::proto::collector::trace::v1::TraceService::NewStub(other.clients->channel);
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  request.add_resource_spans();
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse reply;
  grpc::ClientContext context;
  const grpc::Status sent = exporter->Export(&context, request, &reply);
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(sent.error_message().find("open for reading only"), std::string::npos)
      << sent.error_message();
  EXPECT_EQ(sent.error_message().find("did not answer"), std::string::npos);
}

TEST_F(ForwardTest, OneOwnsAtATime) {
  Member owner(dir());
  owner.Own();
  const auto second = Ownership::Take(dir());
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find(std::to_string(getpid())), std::string::npos);
  owner.Leave();
  EXPECT_TRUE(Ownership::Take(dir()).ok());
}

TEST_F(ForwardTest, OnlyThisUserMayConnectAndNothingIsLeftBehind) {
  const auto sockets = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("OWNER.sock")) names.insert(name);
    }
    return names;
  };
  // What processes that were killed leave.
  std::ofstream(directory_.File("OWNER.sock")).flush();
  std::ofstream(directory_.File("OWNER.sock.17-4")).flush();
  Member owner(dir());
  owner.Own();
  EXPECT_EQ(sockets(), std::set<std::string>{"OWNER.sock"});
  struct stat facts {};
  ASSERT_EQ(stat(directory_.File("OWNER.sock").c_str(), &facts), 0);
  EXPECT_TRUE(S_ISSOCK(facts.st_mode));
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  owner.Leave();
  EXPECT_TRUE(sockets().empty());
}

TEST_F(ForwardTest, ADirectoryWhoseNameHasAMeaningInAUri) {
  const std::string odd = dir() + "/a %41#b?c \u00fc";
  ASSERT_TRUE(FileSystem::Posix().CreateDirectories(odd).ok());
  Member owner(odd);
  Member other(odd);
  owner.Own();
  EXPECT_EQ(std::filesystem::status(odd + "/OWNER.sock").type(),
            std::filesystem::file_type::socket);
  EXPECT_TRUE(other.clients->Write(MakeSpan('a', 0)).ok());
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(1));
}

TEST_F(ForwardTest, ADirectoryWithALongName) {
  const std::string deep = dir() + "/" + std::string(120, 'd');
  ASSERT_TRUE(FileSystem::Posix().CreateDirectories(deep).ok());
  Member owner(deep);
  Member other(deep);
  owner.Own();
  EXPECT_TRUE(other.clients->Write(MakeSpan('a', 0)).ok());
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(1));
}

// Every call that is forwarded: unary, with a stream of replies, and spans.
constexpr const char* kForwarded[] = {
    "/jaeger.storage.v1.SpanReaderPlugin/GetServices",
    "/jaeger.storage.v1.SpanReaderPlugin/GetTrace",
    "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan",
    "/jaeger.storage.v2.TraceReader/FindTraces",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
};

TEST_F(ForwardTest, ACallWhoseRequestNeverComesHarmsNobody) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  RawHttp2 client(other.server().port());
  uint32_t stream = 1;
  for (const char* method : kForwarded) {
    for (int i = 0; i < 20; ++i) {
      client.Call(stream, method);
      if (i % 2 == 1) client.Message(stream, 100, "less than was announced");
      client.Reset(stream);
      stream += 2;
      ASSERT_TRUE(client.Ping()) << method;
    }
  }
  EXPECT_TRUE(other.clients->Write(MakeSpan('a', 0)).ok());
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(1));
}

// gRPC takes as a server what it aborts over as a client.
TEST_F(ForwardTest, MetadataThatGrpcWouldNotSendHarmsNobody) {
  Member owner(dir());
  Member other(dir());
  owner.Own();
  RawHttp2 client(other.server().port());
  uint32_t stream = 1;
  for (const char* method : kForwarded) {
    for (const auto& [name, value] : RawHttp2::Fields{
             {"bearer.token", "t\xff\xfe"}, {"uberctx-a!b", "c"}, {"x-tenant", "Z\xfcrich"}}) {
      client.Call(stream, method, {{name, value}});
      client.Message(stream, 0, "");
      ASSERT_TRUE(client.AwaitEnd(stream)) << method << " " << name;
      stream += 2;
    }
  }
  EXPECT_TRUE(other.clients->Write(MakeSpan('a', 0)).ok());
  EXPECT_EQ(SpanIds(&other, 'a'), IdsOf(1));
}

}  // namespace
}  // namespace larder
