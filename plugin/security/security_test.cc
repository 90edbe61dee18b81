// Who gets in and who does not: gRPC and the admin port over loopback, a fake store behind them.
#include "plugin/security/security.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <jaeger/storage/v2/trace_storage.grpc.pb.h>

#include "plugin/admin/admin_server.h"
#include "plugin/calls/raw_call.h"
#include "plugin/security/test_certificates.h"
#include "plugin/server/server.h"
#include "plugin/store/fake_store.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace v2 = jaeger::storage::v2;
using std::chrono::milliseconds;

const char kExport[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

class SecurityTest : public testing::Test {
 protected:
  // As tools that replace secrets do: the whole file or nothing.
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "new") << text;
    std::filesystem::permissions(folder_ + "new", std::filesystem::perms::owner_all);
    std::filesystem::rename(folder_ + "new", folder_ + name);
  }
  void WritePair(const PemPair& pair) {
    Write("cert", pair.cert);
    Write("key", pair.key);
  }

  TlsOptions Tls(bool mutual = false) {
    if (mutual) Write("client_ca", client_ca_.cert_pem());
    return {.cert_file = folder_ + "cert",
            .key_file = folder_ + "key",
            .client_ca_file = mutual ? folder_ + "client_ca" : ""};
  }

  void Start(const SecurityOptions& options) {
    auto security = Security::Open(options);
    ASSERT_TRUE(security.ok()) << security.status().ToString();
    security_ = std::move(security).value();
    auto server = Server::Start({.listen = "127.0.0.1:0", .security = security_.get()});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
    server_->Open(&store_);
    auto admin = AdminServer::Start({.listen = "127.0.0.1:0",
                                     .enable_purge = true,
                                     .gate = &server_->gate(),
                                     .metrics = &server_->metrics(),
                                     .streams = &server_->streams(),
                                     .security = security_.get(),
                                     .settings = {}});
    ASSERT_TRUE(admin.ok()) << admin.status().ToString();
    admin_ = std::move(admin).value();
  }

  std::shared_ptr<grpc::Channel> Connect(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments own;  // connections are not shared between channels
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    own.SetString("larder.channel", std::to_string(++channels_));
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()), credentials,
                                     own);
  }
  std::shared_ptr<grpc::Channel> ConnectTls(const std::string& root, const PemPair& own = {}) {
    return Connect(grpc::SslCredentials({root, own.key, own.cert}));
  }
  static grpc::StatusCode Call(const std::shared_ptr<grpc::Channel>& channel) {
    return RawCall(channel, kExport, "").error_code();
  }
  grpc::StatusCode CallTls(const std::string& root, const PemPair& own = {}) {
    return Call(ConnectTls(root, own));
  }

  // The status of a GET on the admin port; 0 when there is no connection.
  int Get(const std::string& path, const std::string& root, const PemPair& own = {}) {
    const std::string ca = folder_ + "root";
    std::ofstream(ca) << root;
    std::ofstream(folder_ + "own.cert") << own.cert;
    std::ofstream(folder_ + "own.key") << own.key;
    const bool shows = !own.cert.empty();
    httplib::SSLClient client("127.0.0.1", admin_->port(), shows ? folder_ + "own.cert" : "",
                              shows ? folder_ + "own.key" : "");
    client.set_read_timeout(std::chrono::seconds(60));
    client.set_ca_cert_path(ca.c_str());
    client.enable_server_certificate_verification(true);
    const auto reply = client.Get(path.c_str());
    return reply ? reply->status : 0;
  }

  const ScratchDirectory scratch_;
  const std::string folder_ = scratch_.path() + "/";
  int channels_ = 0;
  TestAuthority ca_{"ca"};
  TestAuthority client_ca_{"client ca"};
  TestAuthority wrong_ca_{"wrong ca"};
  FakeStore store_;
  std::unique_ptr<Security> security_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<AdminServer> admin_;
};

constexpr auto kOk = grpc::StatusCode::OK;
constexpr auto kNoConnection = grpc::StatusCode::UNAVAILABLE;
constexpr auto kNotLetIn = grpc::StatusCode::UNAUTHENTICATED;

TEST_F(SecurityTest, TlsIsForThoseWhoTrustTheAuthority) {
  WritePair(ca_.Sign("server"));
  Start({.tls = Tls()});
  EXPECT_EQ(CallTls(ca_.cert_pem()), kOk);
  EXPECT_EQ(CallTls(wrong_ca_.cert_pem()), kNoConnection);
  EXPECT_EQ(Call(Connect(grpc::InsecureChannelCredentials())), kNoConnection);
  EXPECT_EQ(Get("/status", ca_.cert_pem()), 200);
  EXPECT_EQ(Get("/status", wrong_ca_.cert_pem()), 0);
  EXPECT_FALSE(httplib::Client("127.0.0.1", admin_->port()).Get("/healthz"));
}

TEST_F(SecurityTest, AnExpiredCertificateIsServedAndRefusedByClients) {
  WritePair(ca_.Sign("server", -60));
  Start({.tls = Tls()});
  EXPECT_EQ(CallTls(ca_.cert_pem()), kNoConnection);
  EXPECT_EQ(Get("/healthz", ca_.cert_pem()), 0);
  WritePair(ca_.Sign("server"));
  EXPECT_EQ(CallTls(ca_.cert_pem()), kOk);
  EXPECT_EQ(Get("/healthz", ca_.cert_pem()), 200);
}

TEST_F(SecurityTest, MutualTlsAsksEveryClientForACertificate) {
  WritePair(ca_.Sign("server"));
  Start({.tls = Tls(true)});
  const PemPair good = client_ca_.Sign("jaeger");
  const PemPair stranger = wrong_ca_.Sign("stranger");
  const PemPair expired = client_ca_.Sign("late", -60);
  EXPECT_EQ(CallTls(ca_.cert_pem(), good), kOk);
  EXPECT_EQ(CallTls(ca_.cert_pem()), kNoConnection);
  EXPECT_EQ(CallTls(ca_.cert_pem(), stranger), kNoConnection);
  EXPECT_EQ(CallTls(ca_.cert_pem(), expired), kNoConnection);
  EXPECT_EQ(Get("/status", ca_.cert_pem(), good), 200);
  EXPECT_EQ(Get("/status", ca_.cert_pem()), 401);
  EXPECT_EQ(Get("/healthz", ca_.cert_pem()), 200);  // a probe has no certificate
  EXPECT_EQ(Get("/status", ca_.cert_pem(), stranger), 0);
  EXPECT_EQ(Get("/status", ca_.cert_pem(), expired), 0);
}

TEST_F(SecurityTest, ANewCertificateIsTakenWhileCallsGoOn) {
  store_.chunks = {std::string(1000, '\0')};
  store_.endless = true;
  WritePair(ca_.Sign("server"));
  Start({.tls = Tls(true)});
  const PemPair client = client_ca_.Sign("jaeger");
  const auto channel = ConnectTls(ca_.cert_pem(), client);
  const auto reader = v2::TraceReader::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = reader->GetTraces(&context, {});
  opentelemetry::proto::trace::v1::TracesData data;
  stream->Read(&data);

  const TestAuthority next_ca("next ca");
  const TestAuthority next_client_ca("next client ca");
  const PemPair next_client = next_client_ca.Sign("jaeger");
  WritePair(next_ca.Sign("server"));
  Write("client_ca", next_client_ca.cert_pem());
  EXPECT_EQ(CallTls(next_ca.cert_pem(), next_client), kOk);
  EXPECT_EQ(CallTls(next_ca.cert_pem(), client), kNoConnection);
  EXPECT_EQ(CallTls(ca_.cert_pem(), next_client), kNoConnection);
  EXPECT_EQ(Get("/status", next_ca.cert_pem(), next_client), 200);
  EXPECT_EQ(Get("/status", ca_.cert_pem(), next_client), 0);
  // What stood goes on, with new calls too.
  EXPECT_EQ(Call(channel), kOk);
  EXPECT_EQ(store_.asked().cursors_open, 1U);
  context.TryCancel();
}

TEST_F(SecurityTest, ACertificateWithoutItsKeyIsNotTaken) {
  WritePair(ca_.Sign("server"));
  Start({.tls = Tls()});
  const TestAuthority next_ca("next ca");
  const PemPair next = next_ca.Sign("server");
  Write("cert", next.cert);
  EXPECT_EQ(CallTls(ca_.cert_pem()), kOk);
  Write("key", "half a ke");
  EXPECT_EQ(CallTls(ca_.cert_pem()), kOk);
  std::filesystem::remove(folder_ + "key");
  EXPECT_EQ(CallTls(ca_.cert_pem()), kOk);
  EXPECT_EQ(Get("/healthz", ca_.cert_pem()), 200);
  Write("key", next.key);
  EXPECT_EQ(CallTls(next_ca.cert_pem()), kOk);
  EXPECT_EQ(Get("/healthz", next_ca.cert_pem()), 200);
}

TEST_F(SecurityTest, FilesThatCannotBeUsedAreNamedAtTheStart) {
  const PemPair pair = ca_.Sign("server");
  const auto says = [&](const SecurityOptions& options) {
    const auto security = Security::Open(options);
    EXPECT_FALSE(security.ok());
    return security.ok() ? "" : std::string(security.status().message());
  };
  EXPECT_NE(says({.tls = Tls()}).find(folder_ + "cert"), std::string::npos);
  WritePair({pair.cert, ca_.Sign("other").key});
  EXPECT_NE(says({.tls = Tls()}).find("is not that of the first certificate"), std::string::npos);
  WritePair({pair.key, pair.key});
  EXPECT_NE(says({.tls = Tls()}).find("cert is not a certificate"), std::string::npos);
  WritePair({pair.cert + "-----BEGIN CERTIFICATE-----\nAAAA\n", pair.key});
  EXPECT_NE(says({.tls = Tls()}).find("cert is not a certificate"), std::string::npos);
  WritePair({pair.cert, pair.cert});
  EXPECT_NE(says({.tls = Tls()}).find("key is not a private key"), std::string::npos);
  WritePair(pair);
  TlsOptions no_ca = Tls();
  no_ca.client_ca_file = folder_ + "none";
  EXPECT_NE(says({.tls = no_ca}).find("the clients' authority cannot be read"), std::string::npos);
  const std::string token = folder_ + "token";
  EXPECT_NE(says({.token_file = token}).find("the token file cannot be read"), std::string::npos);
  Write("token", " \n\n");
  EXPECT_NE(says({.token_file = token}).find("holds no token"), std::string::npos);
  Write("token", "secret with blanks\n");
  const std::string message = says({.token_file = token});
  EXPECT_NE(message.find("one token a line"), std::string::npos);
  EXPECT_EQ(message.find("secret"), std::string::npos);
}

// The code that a method answers to a caller with this metadata.
grpc::StatusCode CallWith(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          const std::vector<std::pair<std::string, std::string>>& metadata) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, method, ToByteBuffer(""), &queue);
  call->StartCall();
  grpc::ByteBuffer buffer;
  grpc::Status status;
  call->Finish(&buffer, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status.error_code();
}

TEST_F(SecurityTest, ATokenLetsIn) {
  Write("token", "first\n  second\r\n");
  Start({.token_file = folder_ + "token"});
  const auto channel = Connect(grpc::InsecureChannelCredentials());
  const auto code = [&](const std::vector<std::pair<std::string, std::string>>& metadata) {
    return CallWith(channel, kExport, metadata);
  };
  EXPECT_EQ(code({}), kNotLetIn);
  EXPECT_EQ(code({{"authorization", "Bearer first"}}), kOk);
  EXPECT_EQ(code({{"authorization", "bearer second"}}), kOk);
  EXPECT_EQ(code({{"bearer.token", "second"}}), kOk);
  for (const char* bad : {"", "Bearer", "Bearer ", "Bearer firs", "Bearer first ", "Bearer firstt",
                          "Bearer first second", "first", "Basic first"}) {
    EXPECT_EQ(code({{"authorization", bad}}), kNotLetIn) << bad;
  }
  EXPECT_EQ(code({{"authorization", "Bearer first"}, {"authorization", "Bearer first"}}),
            kNotLetIn);
  EXPECT_EQ(code({{"authorization", "Bearer no"}, {"bearer.token", "first"}}), kNotLetIn);

  httplib::Client admin("127.0.0.1", admin_->port());
  EXPECT_EQ(admin.Get("/readyz")->status, 200);
  EXPECT_EQ(admin.Get("/healthz")->status, 200);
  for (const char* path : {"/status", "/metrics", "/no/such"}) {
    EXPECT_EQ(admin.Get(path)->status, 401) << path;
  }
  EXPECT_EQ(admin.Post("/purge")->status, 401);
  EXPECT_EQ(admin.Post("/tier/fetch?from=now-1d&to=now")->status, 401);
  EXPECT_EQ(store_.asked().purges, 0U);
  const httplib::Headers good = {{"Authorization", "Bearer first"}};
  EXPECT_EQ(admin.Get("/status", good)->status, 200);
  EXPECT_EQ(admin.Get("/status", good)->body.find("first"), std::string::npos);
}

// What Jaeger v1 calls without a token: neither shows or changes a span.
bool IsForEverybody(const std::string& method) {
  return method == "/jaeger.storage.v1.PluginCapabilities/Capabilities" ||
         method == "/jaeger.storage.v1.SpanWriterPlugin/Close";
}

// A method of a service that is registered and has no place here would be a door left open.
TEST_F(SecurityTest, EveryMethodAsksForTheToken) {
  Write("token", "first");
  Start({.token_file = folder_ + "token"});
  const auto channel = Connect(grpc::InsecureChannelCredentials());
  int methods = 0;
  for (const std::string& service : server_->service_names()) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
    ASSERT_NE(descriptor, nullptr) << service;
    for (int i = 0; i < descriptor->method_count(); ++i, ++methods) {
      const std::string method = "/" + service + "/" + descriptor->method(i)->name();
      EXPECT_EQ(CallWith(channel, method, {}), IsForEverybody(method) ? kOk : kNotLetIn) << method;
      EXPECT_NE(CallWith(channel, method, {{"authorization", "Bearer first"}}), kNotLetIn)
          << method;
    }
  }
  EXPECT_GE(methods, 10);
  EXPECT_EQ(CallWith(channel, "/grpc.health.v1.Health/Check", {}), kOk);
}

TEST_F(SecurityTest, ATokenIsReplacedWithoutAGap) {
  class SteppedClock final : public Clock {
   public:
    uint64_t NowUnixNanos() override { return 0; }
    uint64_t MonotonicNanos() override { return now_ns; }
    uint64_t now_ns = 0;
  };
  Write("token", "old\n");
  SteppedClock clock;
  const auto opened = TokenFile::Open(folder_ + "token", &clock);
  ASSERT_TRUE(opened.ok());
  TokenFile& tokens = **opened;
  const auto accepts = [&](const char* token) {
    clock.now_ns += 1'000'000'000;
    return tokens.Accepts(token);
  };
  EXPECT_TRUE(accepts("old"));
  EXPECT_FALSE(accepts("new"));
  Write("token", "old\nnew\n");
  EXPECT_TRUE(accepts("old"));
  EXPECT_TRUE(accepts("new"));
  Write("token", "new\n");
  EXPECT_FALSE(accepts("old"));
  Write("token", "");
  EXPECT_TRUE(accepts("new"));  // a file being written is no reason to lock everybody out
  std::filesystem::remove(folder_ + "token");
  EXPECT_TRUE(accepts("new"));
  Write("token", "last");
  EXPECT_TRUE(accepts("last"));
  EXPECT_FALSE(accepts("new"));
}

}  // namespace
}  // namespace larder
