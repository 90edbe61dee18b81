// The transport against a server in this process: what arrives there, which connections are used,
// and how slow, silent and broken servers end.
#include "tiering/sls/curl_transport.h"

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/support/fake_clock.h"
#include "tiering/sls/sls_client.h"

namespace larder {
namespace {

class CurlTransportTest : public testing::Test {
 protected:
  CurlTransportTest() {
    server_.Post("/echo", [this](const httplib::Request& request, httplib::Response& response) {
      seen_ = request;
      ports_.insert(request.remote_port);
      response.set_header("X-Log-RequestId", " R1 ");
      response.set_content(request.body, "text/plain");
    });
    server_.Get("/hang", [this](const httplib::Request&, httplib::Response&) {
      while (!stops_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    });
    server_.Get("/fails", [](const httplib::Request&, httplib::Response& response) {
      response.status = 503;
      response.set_content(R"({"errorCode":"ServerBusy","errorMessage":"busy"})",
                           "application/json");
    });
    server_.Get("/drips", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content_provider(1'000'000, "text/plain",
                                    [this](size_t, size_t, httplib::DataSink& sink) {
                                      std::this_thread::sleep_for(std::chrono::milliseconds(10));
                                      return !stops_ && sink.write("x", 1);
                                    });
    });
    // Cut short twice, then whole.
    server_.Get("/logstores/cut", [this](const httplib::Request&, httplib::Response& response) {
      const std::string body = R"({"logstoreName":"cut","ttl":7,"shardCount":1})";
      if (cuts_++ >= 2) return response.set_content(body, "application/json");
      response.set_content_provider(body.size(), "application/json",
                                    [body](size_t, size_t, httplib::DataSink& sink) {
                                      sink.write(body.data(), body.size() / 2);
                                      return false;
                                    });
    });
    server_.Get("/logstores/page", [](const httplib::Request&, httplib::Response& response) {
      response.status = 502;
      response.set_content("<html>Bad Gateway</html>", "text/html");
    });
    server_.Delete("/logstores/ls", [this](const httplib::Request& request, httplib::Response&) {
      seen_ = request;
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // it could not be stopped before
  }

  ~CurlTransportTest() override {
    stops_ = true;
    server_.stop();
    thread_.join();
  }

  SlsOptions Options() const {
    return {.endpoint = "http://cn-hangzhou.log.aliyuncs.com",
            .project = "proj",
            .logstore = "ls",
            .access_key_id = "id",
            .access_key_secret = "secret",
            .connect_to = "127.0.0.1:" + std::to_string(port_)};
  }
  std::unique_ptr<HttpTransport> Transport() const {
    return MakeCurlTransport({.endpoint = *ResolveSlsEndpoint(Options()), .ca_file = {}});
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<bool> stops_{false};
  std::atomic<int> cuts_{0};
  httplib::Request seen_;
  std::set<int> ports_;
};

TEST_F(CurlTransportTest, TheServerSeesWhatWasAsked) {
  const auto transport = Transport();
  const std::string body("\0binary\xff", 8);
  const auto response = transport->Send({.method = "POST",
                                         .path = "/echo",
                                         .query = {{"a", "b c&d"}, {"e", ""}},
                                         .headers = {{"x-log-apiversion", "0.6.0"}},
                                         .body = body},
                                        {});
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, body);
  EXPECT_EQ(response->header("x-log-requestid"), "R1");
  EXPECT_EQ(seen_.get_header_value("Host"), "proj.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(seen_.target, "/echo?a=b%20c%26d&e=");
  EXPECT_EQ(seen_.get_header_value("x-log-apiversion"), "0.6.0");
  EXPECT_FALSE(seen_.has_header("Expect"));
  EXPECT_FALSE(seen_.has_header("Content-Type"));
}

TEST_F(CurlTransportTest, AConnectionIsUsedAgain) {
  const auto transport = Transport();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(transport->Send({.method = "POST", .path = "/echo", .body = "x"}, {}).ok());
  }
  EXPECT_EQ(ports_.size(), 1U);
}

TEST_F(CurlTransportTest, AServerThatHangsEndsWithTheTime) {
  const auto transport = Transport();
  const auto response = transport->Send({.path = "/hang"}, {.time_ms_max = 200});
  EXPECT_EQ(response.status().code(), StatusCode::kDeadlineExceeded)
      << response.status().ToString();
}

TEST_F(CurlTransportTest, AnAnswerThatDripsEndsWithTheTime) {
  const auto response = Transport()->Send({.path = "/drips"}, {.time_ms_max = 200});
  EXPECT_EQ(response.status().code(), StatusCode::kDeadlineExceeded)
      << response.status().ToString();
}

TEST_F(CurlTransportTest, AnAnswerMayNotTakeMoreThanItsMemory) {
  uint64_t asked = 0;
  const auto response = Transport()->Send(
      {.method = "POST", .path = "/echo", .body = std::string(1 << 20, 'x')},
      {.hold = [&asked](uint64_t bytes) {
        asked = bytes;
        return bytes > 100'000 ? Status::ResourceExhausted("the query's memory") : Status::Ok();
      }});
  EXPECT_EQ(response.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(response.status().message(), "the query's memory");
  EXPECT_LT(asked, 1U << 20);
}

TEST_F(CurlTransportTest, AnAnswerThatIsCutShortIsNone) {
  const auto cut = Transport()->Send({.path = "/logstores/cut"}, {});
  EXPECT_EQ(cut.status().code(), StatusCode::kUnavailable) << cut.status().ToString();
  cuts_ = 0;
  const auto client = SlsClient::Make(Options());
  ASSERT_TRUE(client.ok());
  const auto logstore = (*client)->GetLogstore("cut", {});
  ASSERT_TRUE(logstore.ok()) << logstore.status().ToString();
  EXPECT_EQ(logstore->ttl_days, 7U);
  EXPECT_EQ(cuts_, 3);
}

TEST_F(CurlTransportTest, APageOfABalancerIsToldFromAnAnswer) {
  FakeClock clock;
  SlsClientParts parts;
  parts.transport = Transport();
  parts.clock = &clock;
  parts.random = [] { return 0.5; };
  parts.sleep = [&clock](uint64_t ms) { clock.Advance(ms * 1'000'000); };
  SlsClient client(Options(), std::move(parts));
  const Status status = client.GetLogstore("page", {.time_ms_max = 5'000}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.ToString();
  EXPECT_NE(status.message().find("a proxy or balancer wrote it"), std::string_view::npos);
  EXPECT_NE(status.message().find("HTTP 502"), std::string_view::npos) << status.ToString();
}

TEST_F(CurlTransportTest, ACallIsCancelled) {
  const auto transport = Transport();
  const auto response = transport->Send(
      {.path = "/hang"}, {.time_ms_max = 600'000, .is_cancelled = [] { return true; }});
  EXPECT_EQ(response.status().code(), StatusCode::kCancelled);
}

TEST_F(CurlTransportTest, WaitsForAFreeConnectionNoLongerThanItsTime) {
  SlsEndpoint endpoint = *ResolveSlsEndpoint(Options());
  const auto transport =
      MakeCurlTransport({.endpoint = std::move(endpoint), .ca_file = {}, .connections_max = 1});
  std::atomic<bool> ends{false};
  std::atomic<bool> is_asked{false};
  std::thread holder([&] {
    const auto held =
        transport->Send({.path = "/hang"}, {.time_ms_max = 600'000, .is_cancelled = [&] {
                                              is_asked = true;
                                              return ends.load();
                                            }});
    EXPECT_EQ(held.status().code(), StatusCode::kCancelled);
  });
  while (!is_asked) std::this_thread::yield();
  const auto response = transport->Send({.path = "/fails"}, {.time_ms_max = 100});
  EXPECT_EQ(response.status().code(), StatusCode::kDeadlineExceeded);
  ends = true;
  holder.join();
  EXPECT_TRUE(transport->Send({.path = "/fails"}, {}).ok());
}

TEST_F(CurlTransportTest, NobodyListens) {
  SlsOptions options = Options();
  options.connect_to = "127.0.0.1:1";
  const auto transport =
      MakeCurlTransport({.endpoint = *ResolveSlsEndpoint(options), .ca_file = {}});
  const auto response = transport->Send({.path = "/"}, {});
  EXPECT_EQ(response.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(response.status().message().find("127.0.0.1:1"), std::string_view::npos);
}

TEST_F(CurlTransportTest, TheClientWorksOverIt) {
  const auto client = SlsClient::Make(Options());
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  ASSERT_TRUE((*client)->DeleteLogstore("ls", {}).ok());
  EXPECT_TRUE(seen_.get_header_value("Authorization").starts_with("LOG id:"));
  EXPECT_EQ((*client)->DeleteLogstore("none", {}).code(), StatusCode::kNotFound);
}

TEST(SlsEndpoint, SaysWhereTheProjectIs) {
  const auto resolve = [](std::string endpoint, std::string connect_to = "") {
    return ResolveSlsEndpoint(
        {.endpoint = std::move(endpoint), .project = "p", .connect_to = std::move(connect_to)});
  };
  const auto plain = resolve("cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(plain->host, "p.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(plain->scheme(), "https");
  EXPECT_EQ(plain->connect_to, "");
  EXPECT_EQ(resolve("http://e.com:81/")->host, "p.e.com:81");
  EXPECT_EQ(resolve("http://e.com")->scheme(), "http");
  // An address has no names below it.
  EXPECT_EQ(resolve("http://127.0.0.1:8080")->host, "p.127.0.0.1:8080");
  EXPECT_EQ(resolve("http://127.0.0.1:8080")->connect_to, "127.0.0.1:8080");
  EXPECT_EQ(resolve("http://localhost")->connect_to, "localhost:80");
  EXPECT_EQ(resolve("https://10.0.0.1", "h:9")->connect_to, "h:9");
  for (const char* wrong : {"", "http://", "a b", "e.com/path", "p.e.com", "a:b:c", ":80"}) {
    EXPECT_EQ(resolve(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace larder
