// OTLP/HTTP over loopback, a fake store behind it.
#include "plugin/otlp_http/otlp_http_server.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "plugin/security/test_certificates.h"
#include "plugin/store/fake_store.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using std::chrono::milliseconds;

constexpr uint64_t kRequestBytesMax = 1 << 20;
constexpr std::chrono::seconds kPatience(60);  // of a client
const char kProtobuf[] = "application/x-protobuf";
const char kJson[] = "application/json";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A connection of which every byte is ours.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    is_open_ = connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~RawClient() { close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Send(const std::string& bytes) const {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What comes until `end`, or until the connection closes.
  std::string ReadUntil(const std::string& end) const {
    std::string read;
    char c = 0;
    while (!read.ends_with(end) && recv(socket_, &c, 1, 0) == 1) read += c;
    return read;
  }
  std::string ReadAll() const { return ReadUntil("\x01never\x01"); }
  bool is_open() const { return is_open_; }

 private:
  const int socket_;
  bool is_open_ = false;
};

class OtlpHttpTest : public testing::Test {
 protected:
  // The client of these tests writes to connections that the server has closed.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  void Start(OtlpHttpOptions options = {}, bool open = true) {
    options.listen = "127.0.0.1:0";
    options.request_bytes_max = kRequestBytesMax;
    options.gate = &gate_;
    options.metrics = &metrics_;
    auto server = OtlpHttpServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
    if (open) gate_.Open(&store_);
    client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
    client_->set_keep_alive(true);
    client_->set_read_timeout(kPatience);
  }

  httplib::Result Post(const std::string& body, const char* type,
                       const httplib::Headers& headers = {}) {
    return client_->Post("/v1/traces", headers, body, type);
  }

  FakeStore store_;
  StoreGate gate_;
  RpcMetrics metrics_;
  std::unique_ptr<OtlpHttpServer> server_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(OtlpHttpTest, HandsProtobufOverAsItCame) {
  Start();
  const std::string request = "\x0a\x05\x1a\x03\xff\xfe\xfd\xf8\x3f\x01";
  for (int i = 0; i < 3; ++i) {
    const auto reply = Post(request, kProtobuf);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "");
    EXPECT_EQ(reply->get_header_value("Content-Type"), kProtobuf);
    EXPECT_EQ(store_.asked().otlp, request);
  }
  EXPECT_EQ(Post("", kProtobuf)->status, 200);
  EXPECT_EQ(store_.asked().otlp, "");
}

TEST_F(OtlpHttpTest, TurnsJsonIntoProtobuf) {
  Start();
  const auto reply =
      Post(R"({"resourceSpans":[{"schemaUrl":"u"}]})", "application/json; charset=utf-8");
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "{}");
  EXPECT_EQ(reply->get_header_value("Content-Type"), kJson);
  EXPECT_EQ(store_.asked().otlp, "\x0a\x03\x1a\x01u");
}

TEST_F(OtlpHttpTest, UnpacksGzip) {
  Start();
  const httplib::Headers gzip = {{"Content-Encoding", "gzip"}};
  const std::string request = "\x0a\x03\x1a\x01u";
  EXPECT_EQ(Post(Gzip(request), kProtobuf, gzip)->status, 200);
  EXPECT_EQ(store_.asked().otlp, request);
  EXPECT_EQ(Post(Gzip(R"({"resourceSpans":[]})"), kJson, gzip)->status, 200);
  EXPECT_EQ(store_.asked().otlp, "");
  EXPECT_EQ(Post("no gzip", kProtobuf, gzip)->status, 400);
  EXPECT_EQ(Post(Gzip(std::string(kRequestBytesMax + 1, 'x')), kProtobuf, gzip)->status, 413);
  EXPECT_EQ(Post(request, kProtobuf, {{"Content-Encoding", "br"}})->status, 415);
  EXPECT_EQ(Post(Gzip(request), kProtobuf, {{"Content-Encoding", "GZIP"}})->status, 200);
  // Half of a gzip, and one that is a thousand times larger than it seems.
  EXPECT_EQ(Post(Gzip(request).substr(0, 12), kProtobuf, gzip)->status, 400);
  EXPECT_EQ(Post(Gzip(std::string(64 * kRequestBytesMax, '[')), kJson, gzip)->status, 413);
  EXPECT_EQ(Post(request, kProtobuf, {{"Content-Encoding", "identity"}})->status, 200);
}

TEST_F(OtlpHttpTest, TellsWhatWasRejectedInTheRequestsOwnEncoding) {
  store_.on_write = [](std::string_view) {
    WriteResult result;
    result.rejected_spans = 2;
    result.first_rejection = "trace id of 15 bytes";
    return result;
  };
  Start();
  ExportTraceServiceResponse reply;
  ASSERT_TRUE(reply.ParseFromString(Post("", kProtobuf)->body));
  EXPECT_EQ(reply.partial_success().rejected_spans(), 2);
  const auto json = nlohmann::json::parse(Post("{}", kJson)->body);
  EXPECT_EQ(json["partialSuccess"]["rejectedSpans"], "2");
  EXPECT_EQ(json["partialSuccess"]["errorMessage"], reply.partial_success().error_message());
}

TEST_F(OtlpHttpTest, TellsTheCodesOfOtlp) {
  Start();
  const struct {
    Status status;
    int http;
    const char* retry_after;
  } kCases[] = {
      {Status::InvalidArgument("not protobuf"), 400, ""},
      {Status::ResourceExhausted("too much"), 429, "3"},
      {Status::Unavailable("the disk is full"), 503, "3"},
      {Status::FailedPrecondition("the archive is full"), 403, ""},
      {Status::Internal("broken"), 500, ""},
  };
  for (const auto& expected : kCases) {
    store_.on_write = [&](std::string_view) {
      WriteResult result;
      result.status = expected.status;
      result.retry_after_ms = 2500;
      return result;
    };
    const auto reply = Post("{}", kJson);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, expected.http);
    EXPECT_EQ(reply->get_header_value("Retry-After"), expected.retry_after);
    const auto status = nlohmann::json::parse(reply->body);
    EXPECT_EQ(status["code"], static_cast<int>(expected.status.code()));
    EXPECT_EQ(status["message"], expected.status.message());
    // google.rpc.Status { code: .. }
    EXPECT_EQ(Post("", kProtobuf)->body.substr(0, 2),
              std::string("\x08") + static_cast<char>(expected.status.code()));
  }
  EXPECT_EQ(metrics_.of(Rpc::kExportHttp).by_code[3].load(), 2U);
  EXPECT_EQ(metrics_.of(Rpc::kExportHttp).active.load(), 0);
}

TEST_F(OtlpHttpTest, RefusesWhatIsNotATraceRequest) {
  Start();
  EXPECT_EQ(client_->Post("/v1/metrics", "", kProtobuf)->status, 404);
  EXPECT_EQ(client_->Get("/v1/traces")->status, 405);
  EXPECT_EQ(client_->Get("/v1/traces")->get_header_value("Allow"), "POST");
  EXPECT_EQ(Post("", "text/plain")->status, 415);
  EXPECT_EQ(Post("{", kJson)->status, 400);
  EXPECT_EQ(Post(std::string(kRequestBytesMax, 'x'), kProtobuf)->status, 200);
  EXPECT_EQ(Post(std::string(kRequestBytesMax + 1, 'x'), kProtobuf)->status, 413);
  EXPECT_EQ(Post("", kProtobuf)->status, 200);
  EXPECT_EQ(client_->Options("/v1/traces")->get_header_value("Access-Control-Allow-Origin"), "");
}

TEST_F(OtlpHttpTest, OnlyWhatMayBeStoredMakesATenantKnown) {
  store_.tenants_max = 1;
  Start({.tenancy = {.enabled = true}});
  const httplib::Headers acme = {{"X-Tenant", "acme"}};
  const httplib::Headers beta = {{"x-tenant", "beta"}};
  EXPECT_EQ(client_->Post("/v1/metrics", acme, "", kProtobuf)->status, 404);
  EXPECT_EQ(client_->Get("/v1/traces", acme)->status, 405);
  EXPECT_EQ(Post("", "text/plain", acme)->status, 415);
  EXPECT_EQ(store_.FindTenant("acme"), kNoTenant);
  EXPECT_EQ(Post("", kProtobuf, beta)->status, 200);
  EXPECT_EQ(store_.asked().tenant, store_.FindTenant("beta"));
  const auto refused = Post("{}", kJson, acme);
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "");
  EXPECT_EQ(refused->body, R"({"code":9,"message":"too many tenants"})");
  EXPECT_EQ(Post("{}", kJson)->status, 401);
  EXPECT_EQ(Post("{}", kJson, {{"x-tenant", "beta"}, {"x-tenant", "beta"}})->status, 403);
}

TEST_F(OtlpHttpTest, ReachesTheArchiveByItsHeader) {
  Start();
  EXPECT_EQ(Post("", kProtobuf, {{"Larder-Data-Set", "archive"}})->status, 200);
  EXPECT_EQ(store_.asked().tenant, ArchiveOf(0));
  EXPECT_EQ(Post("", kProtobuf, {{"larder-data-set", "cold"}})->status, 400);
}

TEST_F(OtlpHttpTest, IsUnavailableWithoutAStore) {
  Start({}, false);
  const auto reply = Post("", kProtobuf);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->get_header_value("Retry-After"), "1");
  gate_.Open(&store_);
  EXPECT_EQ(Post("", kProtobuf)->status, 200);
}

TEST_F(OtlpHttpTest, ReadsWhatHttpAllows) {
  Start();
  const RawClient chunked(server_->port());
  chunked.Send(
      "POST /v1/traces?a=b HTTP/1.1\r\nHost: x\r\ncontent-TYPE: APPLICATION/x-protobuf\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\n\x0a\x03\r\n");
  chunked.Send("3\r\n\x1a\x01u\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(store_.asked().otlp, "\x0a\x03\x1a\x01u");

  const RawClient waiting(server_->port());
  waiting.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
      "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(waiting.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 100"));
  waiting.Send(std::string("\x12\0", 2));
  EXPECT_TRUE(waiting.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));

  const RawClient old(server_->port());
  old.Send(
      "POST /v1/traces HTTP/1.0\r\nContent-Type: application/x-protobuf\r\n"
      "Content-Length: 0\r\n\r\n");
  EXPECT_TRUE(old.ReadAll().starts_with("HTTP/1.1 200"));
}

TEST_F(OtlpHttpTest, SurvivesWhatIsNotHttp) {
  Start();
  const std::string header = "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n";
  for (const std::string& bytes : {std::string("\x16\x03\x01\x02hello"), std::string("GET\r\n\r\n"),
                                   header + "Content-Length: x\r\n\r\n",
                                   header + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                   header + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                                   header + "X: " + std::string(40'000, 'x') + "\r\n\r\n"}) {
    const RawClient client(server_->port());
    client.Send(bytes);
    const std::string reply = client.ReadAll();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 4")) << bytes.substr(0, 80) << " got " << reply;
  }
  {
    const RawClient half(server_->port());
    half.Send(header + "Content-Length: 100\r\n\r\nab");
  }
  EXPECT_EQ(Post("{}", kJson)->status, 200);
}

TEST_F(OtlpHttpTest, IdleConnectionsStarveNobody) {
  Start({.connections_max = 50});
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(std::make_unique<RawClient>(server_->port()));
    ASSERT_TRUE(idle.back()->is_open());
    if (i % 2 == 0) idle.back()->Send("POST /v1/traces HTTP/1.1\r\nHost:");  // half a header
  }
  for (int i = 0; i < 20; ++i) {
    httplib::Client client("127.0.0.1", server_->port());
    const auto reply = client.Post("/v1/traces", "", kProtobuf);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
  }
  EXPECT_EQ(idle.front()->ReadAll(), "");  // the one that waited longest was closed
}

TEST_F(OtlpHttpTest, ConnectionsThatStallAreClosed) {
  Start({.idle_ms_max = 100, .transfer_ms_max = 100});
  const RawClient idle(server_->port());
  const RawClient stalled(server_->port());
  stalled.Send(
      "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
      "Content-Length: 10\r\n\r\n{");
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_EQ(stalled.ReadAll(), "");
}

TEST_F(OtlpHttpTest, ABoundHoldsOverAllRequests) {
  std::atomic<bool> reached{false};
  std::atomic<bool> go_on{false};
  store_.on_write = [&](std::string_view) {
    reached = true;
    while (!go_on) std::this_thread::sleep_for(milliseconds(1));
    return WriteResult{};
  };
  Start({.memory_bytes_max = 0});  // one request's worth
  const RawClient first(server_->port());
  first.Send(
      "POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: " +
      std::to_string(kRequestBytesMax) + "\r\n\r\n" + std::string(kRequestBytesMax, 'x'));
  while (!reached) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(Post(std::string(kRequestBytesMax / 2, 'x'), kProtobuf)->status, 429);
  go_on = true;
  EXPECT_TRUE(first.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));
  // The connection of the refused one is lost with its body: httplib opens another.
  EXPECT_EQ(Post(std::string(kRequestBytesMax / 2, 'x'), kProtobuf)->status, 200);
}

// Answers from a thread of its own, when it is told to.
TEST_F(OtlpHttpTest, DrainWaitsForTheStore) {
  std::atomic<bool> reached{false};
  std::atomic<bool> go_on{false};
  store_.on_write = [&](std::string_view) {
    reached = true;
    while (!go_on) std::this_thread::sleep_for(milliseconds(1));
    return WriteResult{};
  };
  Start();
  const int port = server_->port();
  const RawClient idle(port);
  int code = 0;
  std::thread caller([&] {
    const auto reply = Post("{}", kJson);
    code = reply ? reply->status : -1;
  });
  while (!reached) std::this_thread::sleep_for(milliseconds(1));
  std::thread releaser([&] {
    std::this_thread::sleep_for(milliseconds(100));
    go_on = true;
  });
  server_->Drain(milliseconds(10'000));
  EXPECT_TRUE(go_on);
  caller.join();
  releaser.join();
  EXPECT_EQ(code, 200);
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_FALSE(RawClient(port).is_open());
}

TEST_F(OtlpHttpTest, AsksForTokenAndCertificate) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.path() + "/";
  const TestAuthority ca("ca");
  const PemPair own = ca.Sign("server");
  std::ofstream(folder + "cert") << own.cert;
  std::ofstream(folder + "key") << own.key;
  std::ofstream(folder + "ca") << ca.cert_pem();
  std::ofstream(folder + "token") << "secret\n";
  const auto security = Security::Open({.tls = {.cert_file = folder + "cert",
                                                .key_file = folder + "key",
                                                .client_ca_file = folder + "ca"},
                                        .token_file = folder + "token"});
  ASSERT_TRUE(security.ok());
  Start({.security = security->get()});
  const auto post = [&](bool shows_certificate, const std::string& token) {
    httplib::SSLClient client("127.0.0.1", server_->port(),
                              shows_certificate ? folder + "cert" : "",
                              shows_certificate ? folder + "key" : "");
    client.set_read_timeout(kPatience);
    client.set_ca_cert_path((folder + "ca").c_str());
    client.enable_server_certificate_verification(true);
    const httplib::Headers headers = {{"AUTHORIZATION", "Bearer " + token}};
    const auto reply = client.Post("/v1/traces", headers, "{}", kJson);
    return reply ? reply->status : 0;
  };
  EXPECT_EQ(post(true, "secret"), 200);
  EXPECT_EQ(post(true, "other"), 401);
  EXPECT_EQ(post(false, "secret"), 0);
  EXPECT_EQ(RawClient(server_->port()).is_open(), true);
  server_.reset();  // its files go
}

TEST_F(OtlpHttpTest, AnAddressInUseIsNamed) {
  Start();
  const auto second = OtlpHttpServer::Start(
      {.listen = "127.0.0.1:" + std::to_string(server_->port()), .gate = &gate_});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);
  EXPECT_FALSE(OtlpHttpServer::Start({.listen = "unix:/tmp/x", .gate = &gate_}).ok());
}

}  // namespace
}  // namespace larder
