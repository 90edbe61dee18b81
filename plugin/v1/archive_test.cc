// The archive as clients of jaeger.storage.v1 reach it, and what capabilities say of it.
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "plugin/store/fake_store.h"
#include "plugin/v1/test_clients.h"
#include "storage/engine/store.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace api = jaeger::api_v2;
namespace storage = jaeger::storage::v1;

class V1ArchiveTest : public testing::Test {
 protected:
  std::unique_ptr<Store> Open() {
    auto store = Store::Open({.data_dir = directory_.path()});
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return std::move(store).value();
  }

  ScratchDirectory directory_;
  const std::unique_ptr<Store> store_ = Open();
  Remote remote_{store_.get()};
};

TEST_F(V1ArchiveTest, TheArchiveIsApart) {
  auto archive_writer = storage::ArchiveSpanWriterPlugin::NewStub(remote_.channel);
  auto archive_reader = storage::ArchiveSpanReaderPlugin::NewStub(remote_.channel);
  const auto get_archived = [&](char trace, grpc::Status* status) {
    grpc::ClientContext context;
    storage::GetTraceRequest request;
    request.set_trace_id(std::string(16, trace));
    return SpansOf(Remote::ReadAll(archive_reader->GetArchiveTrace(&context, request), status));
  };
  api::Span span = MakeSpan('a', 1);
  AddTag(&span, "key", "value");
  for (int times = 0; times < 2; ++times) {  // a user who clicks twice
    grpc::ClientContext context;
    storage::WriteSpanRequest request;
    *request.mutable_span() = span;
    storage::WriteSpanResponse reply;
    const grpc::Status status = archive_writer->WriteArchiveSpan(&context, request, &reply);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  ASSERT_TRUE(remote_.Write(MakeSpan('b', 1, "main")).ok());

  grpc::Status status;
  const std::vector<api::Span> got = get_archived('a', &status);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].SerializeAsString(), span.SerializeAsString());
  EXPECT_TRUE(get_archived('b', &status).empty());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "trace not found");
  EXPECT_TRUE(remote_.Get(span.trace_id(), &status).empty());
  EXPECT_EQ(status.error_message(), "trace not found");
  grpc::ClientContext context;
  storage::GetServicesResponse services;
  ASSERT_TRUE(remote_.reader->GetServices(&context, {}, &services).ok());
  ASSERT_EQ(services.services_size(), 1);
  EXPECT_EQ(services.services(0), "main");
}

TEST_F(V1ArchiveTest, TheArchivesPortTakesPlainSpans) {
  Remote remote(store_.get(), {.archive_listen = "127.0.0.1:0"});
  Clients archive(remote.server().archive_port());
  ASSERT_TRUE(archive.Write(MakeSpan('a', 1)).ok());
  ASSERT_TRUE(remote.Write(MakeSpan('b', 1)).ok());
  {
    grpc::ClientContext context;
    storage::WriteSpanResponse reply;
    const auto stream = archive.streaming_writer->WriteSpanStream(&context, &reply);
    storage::WriteSpanRequest request;
    *request.mutable_span() = MakeSpan('a', 2);
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->WritesDone());
    ASSERT_TRUE(stream->Finish().ok());
  }
  grpc::Status status;
  EXPECT_EQ(SpansOf(archive.Get(std::string(16, 'a'), &status)).size(), 2U);
  EXPECT_TRUE(archive.Get(std::string(16, 'b'), &status).empty());
  EXPECT_TRUE(remote.Get(std::string(16, 'a'), &status).empty());
  EXPECT_EQ(status.error_message(), "trace not found");
  grpc::ClientContext context;
  storage::CapabilitiesResponse reply;
  auto capabilities = storage::PluginCapabilities::NewStub(archive.channel);
  ASSERT_TRUE(capabilities->Capabilities(&context, {}, &reply).ok());
  EXPECT_FALSE(reply.archivespanreader());
}

TEST(V1CapabilitiesTest, CapabilitiesSayWhatIsServed) {
  for (const bool has_streaming : {false, true}) {
    Remote remote(nullptr, {.v1 = {.has_streaming = has_streaming}});
    grpc::ClientContext context;
    storage::CapabilitiesResponse reply;
    auto stub = storage::PluginCapabilities::NewStub(remote.channel);
    ASSERT_TRUE(stub->Capabilities(&context, {}, &reply).ok());
    EXPECT_EQ(reply.streamingspanwriter(), has_streaming);
    EXPECT_TRUE(reply.archivespanreader());
    EXPECT_TRUE(reply.archivespanwriter());
  }
}

TEST(V1CapabilitiesTest, WithTenantsJaegerIsAnsweredWithoutOne) {
  FakeStore store;
  Remote remote(&store, {.tenancy = {.enabled = true}, .v1 = {.has_streaming = true}});
  storage::CapabilitiesResponse capabilities;
  grpc::ClientContext for_capabilities;
  auto stub = storage::PluginCapabilities::NewStub(remote.channel);
  ASSERT_TRUE(stub->Capabilities(&for_capabilities, {}, &capabilities).ok());
  EXPECT_TRUE(capabilities.archivespanwriter());
  EXPECT_FALSE(capabilities.streamingspanwriter());  // whatever was asked for
  grpc::ClientContext for_close;
  storage::CloseWriterResponse closed;
  EXPECT_TRUE(remote.writer->Close(&for_close, {}, &closed).ok());
  EXPECT_EQ(remote.Write(MakeSpan('a', 1)).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace larder
