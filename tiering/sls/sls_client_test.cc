// SlsClient over scripted answers: what it sends, and what it makes of what comes back. Time,
// chance and sleep are the test's.
#include "tiering/sls/sls_client.h"

#include <deque>
#include <fstream>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/fake_clock.h"
#include "tiering/sls/sls_compression.h"

namespace larder {
namespace {

constexpr std::string_view kSecret = "the-secret-of-the-key";
constexpr std::string_view kToken = "the-security-token";

HttpResponse Answer(int status, std::string body = "",
                    std::map<std::string, std::string> headers = {}) {
  headers.try_emplace("x-log-requestid", "R1");
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

HttpResponse Error(int status, const std::string& code, const std::string& message = "why") {
  return Answer(status, R"({"errorCode":")" + code + R"(","errorMessage":")" + message + "\"}");
}

// Answers in the order of the script, and keeps what was asked.
class ScriptedTransport : public HttpTransport {
 public:
  ScriptedTransport(std::deque<Result<HttpResponse>>* script, std::vector<SlsRequest>* asked)
      : script_(script), asked_(asked) {}

  Result<HttpResponse> Send(const SlsRequest& request, const HttpLimits& limits) override {
    EXPECT_GT(limits.time_ms_max, 0U);
    asked_->push_back(request);
    if (script_->empty()) return Status::Unavailable("the script has ended");
    Result<HttpResponse> answer = std::move(script_->front());
    script_->pop_front();
    return answer;
  }

 private:
  std::deque<Result<HttpResponse>>* script_;
  std::vector<SlsRequest>* asked_;
};

class SlsClientTest : public testing::Test {
 protected:
  static SlsOptions Options() {
    return {.endpoint = "cn-hangzhou.log.aliyuncs.com",
            .project = "proj",
            .logstore = "ls",
            .access_key_id = "id",
            .access_key_secret = std::string(kSecret),
            .security_token = std::string(kToken)};
  }

  SlsClient& client(SlsOptions options = Options()) {
    if (client_) return *client_;
    SlsClientParts parts;
    parts.transport = std::make_unique<ScriptedTransport>(&script_, &asked_);
    parts.clock = &clock_;
    parts.random = [] { return 0.5; };
    parts.sleep = [this](uint64_t ms) {
      slept_ms_ += ms;
      clock_.Advance(ms * 1'000'000);
    };
    client_ = std::make_unique<SlsClient>(std::move(options), std::move(parts));
    return *client_;
  }

  FakeClock clock_{1'672'628'645'000'000'000};
  std::deque<Result<HttpResponse>> script_;
  std::vector<SlsRequest> asked_;
  uint64_t slept_ms_ = 0;
  std::unique_ptr<SlsClient> client_;
};

TEST_F(SlsClientTest, PutLogsSendsOneCompressedSignedGroup) {
  const std::string group(1000, 'g');
  script_ = {Answer(200), Answer(200)};
  ASSERT_TRUE(client().PutLogs("ls", group, "", {}).ok());
  ASSERT_TRUE(client().PutLogs("ls", group, "0a", {}).ok());
  const SlsRequest& request = asked_[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.host, "proj.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(RequestTarget(request), "/logstores/ls/shards/lb");
  EXPECT_EQ(request.headers.at("x-log-bodyrawsize"), "1000");
  EXPECT_EQ(request.headers.at("x-log-compresstype"), "lz4");
  EXPECT_EQ(request.headers.at("x-acs-security-token"), kToken);
  EXPECT_TRUE(request.headers.at("authorization").starts_with("LOG id:"));
  EXPECT_EQ(*DecompressBody("lz4", request.body, 1000), group);
  EXPECT_EQ(RequestTarget(asked_[1]), "/logstores/ls/shards/route?key=0a");
}

TEST_F(SlsClientTest, TroubleIsTriedAgainWithWaitsThatDouble) {
  script_ = {Status::Unavailable("reset"), Error(500, "InternalServerError"), Answer(502, "<html>"),
             Error(503, "ServerBusy"), Answer(200)};
  EXPECT_TRUE(client().PutLogs("ls", "g", "", {}).ok());
  EXPECT_EQ(asked_.size(), 5U);
  EXPECT_EQ(slept_ms_, 100U + 200 + 400 + 800);  // half of each bound
}

TEST_F(SlsClientTest, WhatIsCountedIsWhatWentOverTheWireEachTime) {
  const std::string group(1000, 'g');
  script_ = {Error(500, "InternalServerError"), Answer(200), Answer(200)};
  uint64_t bytes_sent = 7;
  ASSERT_TRUE(client().PutLogs("ls", group, "", {}, &bytes_sent).ok());
  const uint64_t body_bytes = asked_[0].body.size();
  EXPECT_LT(body_bytes, 100U);
  EXPECT_EQ(bytes_sent, 7 + 2 * body_bytes);
  ASSERT_TRUE(client().PutLogs("ls", group, "", {}).ok());
  EXPECT_EQ(bytes_sent, 7 + 2 * body_bytes);
}

TEST_F(SlsClientTest, AQuotaIsWaitedForLonger) {
  script_ = {Error(403, "WriteQuotaExceed"), Error(403, "WriteQuotaExceed"), Answer(200)};
  EXPECT_TRUE(client().PutLogs("ls", "g", "", {}).ok());
  EXPECT_EQ(slept_ms_, 1500U + 3000);
}

TEST_F(SlsClientTest, GivesUpWhenTheTimeIsUpAndSaysWhy) {
  const Status status = client().PutLogs("ls", "g", "", {.time_ms_max = 5'000});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "PutLogs: the script has ended");
  EXPECT_LE(slept_ms_, 5'000U);
  EXPECT_GE(asked_.size(), 4U);
}

TEST_F(SlsClientTest, WhatCannotHelpIsNotTriedAgain) {
  script_ = {Error(404, "LogStoreNotExist")};
  const auto rows = client().GetLogs("ls", {.from_s = 1, .to_s = 2}, {});
  EXPECT_EQ(rows.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_EQ(slept_ms_, 0U);
}

TEST_F(SlsClientTest, CancellationEndsAWait) {
  bool cancelled = false;
  script_ = {Error(403, "WriteQuotaExceed")};
  const Status status = client().PutLogs(
      "ls", "g", "", {.is_cancelled = [&] { return std::exchange(cancelled, true); }});
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(SlsClientTest, AClockThatIsWrongIsMended) {
  HttpResponse skewed = Error(400, "RequestTimeTooSkewed");
  skewed.headers["date"] = "Mon, 02 Jan 2023 05:04:05 GMT";  // two hours ahead
  script_ = {skewed, Answer(200), Answer(200)};
  ASSERT_TRUE(client().PutLogs("ls", "g", "", {}).ok());
  EXPECT_EQ(asked_[0].headers.at("date"), "Mon, 02 Jan 2023 03:04:05 GMT");
  EXPECT_EQ(asked_[1].headers.at("date"), "Mon, 02 Jan 2023 05:04:05 GMT");
  EXPECT_EQ(client().clock_skew_s(), 7200);
  ASSERT_TRUE(client().PutLogs("ls", "g", "", {}).ok());
  EXPECT_EQ(asked_[2].headers.at("date"), "Mon, 02 Jan 2023 05:04:05 GMT");
}

TEST_F(SlsClientTest, CredentialsAreReadAgainWhenTheyAreRefused) {
  const std::string path = testing::TempDir() + "larder_sls_secret";
  std::ofstream(path) << "old\n";
  SlsOptions options = Options();
  options.access_key_secret_file = path;
  script_ = {Answer(200), Error(401, "SignatureNotMatch"), Answer(200)};
  ASSERT_TRUE(client(options).PutLogs("ls", "g", "", {}).ok());
  std::ofstream(path) << "new\n";
  ASSERT_TRUE(client().PutLogs("ls", "g", "", {}).ok());
  EXPECT_EQ(asked_[0].headers.at("authorization"), asked_[1].headers.at("authorization"));
  EXPECT_NE(asked_[1].headers.at("authorization"), asked_[2].headers.at("authorization"));
}

TEST_F(SlsClientTest, RefusedCredentialsAreToldAfterTwoMoreTries) {
  script_ = {Error(401, "Unauthorized"), Error(401, "Unauthorized"), Error(401, "Unauthorized"),
             Answer(200)};
  EXPECT_EQ(client().PutLogs("ls", "g", "", {}).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(asked_.size(), 3U);
}

TEST_F(SlsClientTest, ReadAllAsksIncompletePagesAgainAndEndsAtAnEmptyOne) {
  const auto page = [](const char* progress, int first, int count) {
    nlohmann::json data = nlohmann::json::array();
    for (int i = 0; i < count; ++i) data.push_back({{"n", std::to_string(first + i)}});
    const nlohmann::json body = {{"meta", {{"progress", progress}, {"count", count}}},
                                 {"data", data}};
    return Answer(200, body.dump());
  };
  script_ = {page("Incomplete", 0, 1), page("Complete", 0, 3), page("Complete", 3, 1),
             page("Incomplete", 0, 0), page("Complete", 0, 0)};
  std::string found;
  const Status status = client().ReadAll("ls", {.from_s = 1, .to_s = 2}, {}, [&](auto* rows) {
    for (const SlsRow& row : *rows) found += row.at("n");
    return true;
  });
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(found, "0123");
  std::vector<uint64_t> offsets;
  for (const SlsRequest& request : asked_) {
    offsets.push_back(nlohmann::json::parse(request.body)["offset"]);
  }
  EXPECT_EQ(offsets, (std::vector<uint64_t>{0, 0, 3, 4, 4}));
}

TEST_F(SlsClientTest, AnAnswerThatNeverCompletesIsUnavailable) {
  for (int i = 0; i < 20; ++i) {
    script_.push_back(Answer(200, R"({"meta":{"progress":"Incomplete"},"data":[]})"));
  }
  const auto rows = client().ReadPage("ls", {.from_s = 1, .to_s = 2}, {.time_ms_max = 10'000'000});
  EXPECT_EQ(rows.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(asked_.size(), 20U);
  EXPECT_EQ(slept_ms_, 100U + 200 + 400 + 800 + 1600 + 3200 + 6400 + 12 * 10'000);
}

TEST_F(SlsClientTest, BothCallsForLogsAreRead) {
  const std::string v3 = R"({"meta":{"progress":"Complete","count":1},"data":[{"a":"1","n":2}]})";
  script_ = {
      Answer(200, R"([{"a":"1"}])", {{"x-log-progress", "Complete"}, {"x-log-count", "1"}}),
      Answer(200, CompressBody(SlsCompression::kLz4, v3),
             {{"x-log-compresstype", "lz4"}, {"x-log-bodyrawsize", std::to_string(v3.size())}}),
      Answer(200, v3)};
  const SlsQuery query{.from_s = 10, .to_s = 20, .query = "a: 1", .offset = 5};
  const auto get = client().GetLogs("ls", query, {});
  ASSERT_TRUE(get.ok()) << get.status().ToString();
  EXPECT_EQ(get->rows, (std::vector<SlsRow>{{{"a", "1"}}}));
  EXPECT_TRUE(get->is_complete);
  EXPECT_EQ(RequestTarget(asked_[0]),
            "/logstores/ls?from=10&line=100&offset=5&query=a%3A%201&reverse=false&to=20&topic=&"
            "type=log");
  for (int i = 0; i < 2; ++i) {
    const auto post = client().PostLogs("ls", query, {});
    ASSERT_TRUE(post.ok()) << post.status().ToString();
    EXPECT_EQ(post->rows, (std::vector<SlsRow>{{{"a", "1"}, {"n", "2"}}}));
  }
}

TEST_F(SlsClientTest, BrokenAnswersAreDataLoss) {
  const auto code = [&](HttpResponse answer) {
    script_ = {std::move(answer)};
    return client().PostLogs("ls", {.from_s = 1, .to_s = 2}, {.time_ms_max = 1}).status().code();
  };
  for (const char* body : {"", "[]", "{}", R"({"meta":1,"data":[]})", R"({"meta":{}})",
                           R"({"meta":{},"data":[1]})", "\xff"}) {
    EXPECT_EQ(code(Answer(200, body)), StatusCode::kDataLoss) << body;
  }
  // One that does not unpack may have been cut on its way: worth another try.
  EXPECT_EQ(code(Answer(200, "x", {{"x-log-compresstype", "lz4"}, {"x-log-bodyrawsize", "9"}})),
            StatusCode::kUnavailable);
}

TEST_F(SlsClientTest, AnAnswerMayNotTakeMoreThanItsMemory) {
  const std::string rows =
      R"({"meta":{"progress":"Complete"},"data":[{"a":")" + std::string(1'000'000, 'x') + R"("}]})";
  const auto answer = [&rows] {
    return Answer(
        200, CompressBody(SlsCompression::kLz4, rows),
        {{"x-log-compresstype", "lz4"}, {"x-log-bodyrawsize", std::to_string(rows.size())}});
  };
  uint64_t bytes_max = 100'000;
  uint64_t most = 0;
  const auto ask = [&] {
    return client()
        .PostLogs("ls", {.from_s = 1, .to_s = 2},
                  {.hold =
                       [&](uint64_t bytes) {
                         most = std::max(most, bytes);
                         return bytes > bytes_max ? Status::ResourceExhausted("the query's memory")
                                                  : Status::Ok();
                       }})
        .status();
  };
  script_ = {answer(), answer()};
  const Status refused = ask();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted) << refused.ToString();
  EXPECT_EQ(refused.message(), "GetLogs: the query's memory");
  EXPECT_EQ(asked_.size(), 1U) << "another try would need no less";
  EXPECT_GT(most, rows.size());
  bytes_max = 3 * rows.size();
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(most, 2 * rows.size()) << "as text and as JSON";
  // Nobody need be asked: it is more than any page.
  script_ = {Answer(200, "x",
                    {{"x-log-compresstype", "zstd"},
                     {"x-log-bodyrawsize", std::to_string(kSlsBodyBytesMax + 1)}})};
  const Status huge =
      client().PostLogs("ls", {.from_s = 1, .to_s = 2}, {.time_ms_max = 1}).status();
  EXPECT_NE(huge.message().find("is announced"), std::string_view::npos) << huge.ToString();
}

TEST_F(SlsClientTest, CountsShardsCursorsAndPulls) {
  const std::string group = EncodeLogGroup({.logs = {{.time_s = 5, .contents = {{"a", "1"}}}}});
  std::string list = std::string("\x0a") + static_cast<char>(group.size()) + group;
  script_ = {Answer(200, "[]", {{"x-log-count", "7"}, {"x-log-progress", "Incomplete"}}),
             Answer(200, "[]", {{"x-log-count", "9"}, {"x-log-progress", "Complete"}}),
             Answer(200, R"([{"shardID":3,"status":"readwrite","inclusiveBeginKey":"00",)"
                         R"("exclusiveEndKey":"ff","createTime":1}])"),
             Answer(200, R"({"cursor":"MTQ="})"),
             Answer(200, CompressBody(SlsCompression::kLz4, list),
                    {{"x-log-compresstype", "lz4"},
                     {"x-log-bodyrawsize", std::to_string(list.size())},
                     {"x-log-cursor", "MTU="}})};
  EXPECT_EQ(*client().CountLogs("ls", {.from_s = 1, .to_s = 2}, {}), 9U);
  const auto shards = client().ListShards("ls", {});
  ASSERT_EQ(shards->size(), 1U);
  EXPECT_EQ((*shards)[0].id, 3);
  EXPECT_EQ(*client().GetCursor("ls", 3, "begin", {}), "MTQ=");
  const auto pulled = client().PullLogs("ls", 3, "MTQ=", 10, {});
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_EQ(pulled->next_cursor, "MTU=");
  EXPECT_EQ(pulled->groups[0].logs[0].value("a"), "1");
  EXPECT_EQ(RequestTarget(asked_[4]), "/logstores/ls/shards/3?count=10&cursor=MTQ%3D&type=logs");
}

TEST_F(SlsClientTest, LogstoresAndIndexes) {
  script_ = {Answer(200, R"({"logstoreName":"ls","ttl":30,"shardCount":2,"autoSplit":true,)"
                         R"("maxSplitShard":16,"mode":"query"})"),
             Answer(200),
             Error(400, "IndexConfigNotExist"),
             Answer(200),
             Error(400, "IndexAlreadyExist"),
             Answer(200, R"({"count":1,"total":1,"logstores":["ls"]})")};
  const auto found = client().GetLogstore("ls", {});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->ttl_days, 30U);
  EXPECT_EQ(found->mode, "query");
  EXPECT_TRUE(client().CreateLogstore({.name = "ls", .ttl_days = 7}, {}).ok());
  const auto created = nlohmann::json::parse(asked_[1].body);
  EXPECT_EQ(created["logstoreName"], "ls");
  EXPECT_EQ(created["ttl"], 7);
  EXPECT_EQ(client().GetIndex("ls", {}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(client().CreateIndex("ls", "{}", {}).ok());
  EXPECT_EQ(client().CreateIndex("ls", "{}", {}).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*client().ListLogstores({}), std::vector<std::string>{"ls"});
  EXPECT_EQ(RequestTarget(asked_[3]), "/logstores/ls/index");
}

TEST_F(SlsClientTest, NoMessageHasASecretInIt) {
  const std::vector<Result<HttpResponse>> kFailures = {
      Status::Unavailable("reset"),      Error(400, "PostBodyInvalid"),
      Error(401, "SignatureNotMatch"),   Error(403, "ProjectForbidden"),
      Error(500, "InternalServerError"), Answer(502, "<html>"),
      Error(400, "RequestTimeTooSkewed")};
  SlsOptions v4 = Options();
  v4.signature = SlsSignature::kV4;
  v4.region = "cn-hangzhou";
  for (const SlsOptions& options : {Options(), v4}) {
    client_.reset();
    for (const auto& failure : kFailures) {
      script_.assign(3, failure);
      const Status status = client(options).PutLogs("ls", "g", "", {.time_ms_max = 1});
      EXPECT_FALSE(status.ok());
      for (const std::string_view secret : {kSecret, kToken}) {
        EXPECT_EQ(status.ToString().find(secret), std::string::npos) << status.ToString();
      }
    }
  }
  for (const SlsRequest& request : asked_) {
    for (const auto& [name, value] : request.headers) {
      EXPECT_EQ(value.find(kSecret), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace larder
