// The admin port over loopback, a fake store behind it.
#include "plugin/admin/admin_server.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "plugin/admin/metrics.h"
#include "plugin/store/fake_store.h"

namespace larder {
namespace {

class AdminServerTest : public testing::Test {
 protected:
  AdminOptions Options(const std::string& listen, bool enable_purge = false) {
    return {.listen = listen,
            .enable_purge = enable_purge,
            .gate = &gate_,
            .metrics = &metrics_,
            .streams = &streams_,
            .settings = {}};
  }
  void Start(bool enable_purge = false) {
    auto server = AdminServer::Start(Options("127.0.0.1:0", enable_purge));
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
    client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
  }

  FakeStore store_;
  StoreGate gate_;
  RpcMetrics metrics_;
  WorkerPool pool_{"pool", 1};
  StreamWatch streams_{{}, &pool_};
  std::unique_ptr<AdminServer> server_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(AdminServerTest, IsHealthyAtOnceAndReadyWithTheStore) {
  Start();
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  EXPECT_EQ(client_->Get("/readyz")->status, 503);
  EXPECT_NE(client_->Get("/readyz")->body.find("replays its journal"), std::string::npos);
  gate_.Open(&store_);
  EXPECT_EQ(client_->Get("/readyz")->status, 200);
  gate_.Close("the server is shutting down");
  EXPECT_EQ(client_->Get("/readyz")->status, 503);
}

TEST_F(AdminServerTest, AStoreThatOnlyReadsIsNotReadyAndSaysWhy) {
  store_.stats_answer.writable = false;
  store_.stats_answer.not_writable_reason = "the disk is full: free 64 MiB";
  gate_.Open(&store_);
  Start();
  const auto reply = client_->Get("/readyz");
  EXPECT_EQ(reply->status, 503);
  EXPECT_NE(reply->body.find("the disk is full: free 64 MiB"), std::string::npos);
}

TEST_F(AdminServerTest, PurgesOnlyWhenAllowed) {
  gate_.Open(&store_);
  Start();
  EXPECT_EQ(client_->Post("/purge")->status, 403);
  EXPECT_EQ(store_.asked().purges, 0U);
  server_.reset();
  Start(true);
  EXPECT_EQ(client_->Get("/purge")->status, 404);
  // A web page in an operator's browser is nobody.
  EXPECT_EQ(client_
                ->Post("/purge", {{"Origin", "http://example.com"}}, "",
                       "application/x-www-form-urlencoded")
                ->status,
            403);
  EXPECT_EQ(store_.asked().purges, 0U);
  EXPECT_EQ(client_->Post("/purge")->status, 200);
  EXPECT_EQ(store_.asked().purges, 1U);
  EXPECT_EQ(client_->Post("/purge?tenant=nobody")->status, 404);
  EXPECT_EQ(store_.asked().purges, 1U);
  store_.purge_answer = Status::Internal("broken");
  EXPECT_EQ(client_->Post("/purge")->status, 500);
  gate_.Close("gone");
  EXPECT_EQ(client_->Post("/purge")->status, 503);
}

TEST_F(AdminServerTest, AFetchIsCheckedAndThenTellsHowFarItIs) {
  Start();
  const std::string path = "/tier/fetch?from=2026-11-22T10:00:00Z&to=2026-11-22T11:00:00%2B01:00";
  EXPECT_EQ(client_->Post(path)->status, 503);
  gate_.Open(&store_);
  EXPECT_EQ(client_->Get(path)->status, 404);
  for (const char* bad :
       {"/tier/fetch", "/tier/fetch?from=now", "/tier/fetch?from=now&to=soon",
        "/tier/fetch?from=now&to=now-1d", "/tier/fetch?from=now-1d&to=now&keep-for=long"}) {
    EXPECT_EQ(client_->Post(bad)->status, 400) << bad;
  }
  store_.fetch_plan = Status::ResourceExhausted("raise disk.cap");
  EXPECT_EQ(client_->Post(path)->status, 507);
  EXPECT_EQ(client_->Post(path)->body, "raise disk.cap\n");
  const auto progress = [](uint64_t partitions_done, uint64_t rows_done) {
    FetchProgress made;
    made.partitions = 2;
    made.partitions_done = partitions_done;
    made.rows = 7;
    made.rows_done = rows_done;
    return made;
  };
  store_.fetch_plan = progress(0, 0);
  store_.on_fetch = [progress](const FetchRequest&, const FetchWatch& watch) {
    watch.on_progress(progress(1, 3));
    return Result<FetchProgress>(progress(2, 7));
  };
  const auto reply = client_->Post(path + "&keep-for=2h");
  ASSERT_EQ(reply->status, 200);
  EXPECT_EQ(store_.asked().fetch.start.min_ns, 1'795'341'600'000'000'000U);
  EXPECT_EQ(store_.asked().fetch.start.max_ns, store_.asked().fetch.start.min_ns);
  EXPECT_EQ(store_.asked().fetch.keep_ms, 2U * 3600 * 1000);
  std::istringstream lines(reply->body);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line)["spans_done"], 3);
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line)["end"], true);
  EXPECT_EQ(nlohmann::json::parse(line)["kept_for"], "2h");
  store_.on_fetch = [](const FetchRequest&, const FetchWatch&) -> Result<FetchProgress> {
    return Status::Unavailable("the tier is away");
  };
  const auto failed = nlohmann::json::parse(client_->Post(path)->body);
  EXPECT_EQ(failed["error"], "the tier is away");
}

TEST_F(AdminServerTest, AFetchEndsWithTheServerAndWithItsCaller) {
  gate_.Open(&store_);
  std::atomic<uint32_t> begun = 0;
  std::atomic<uint32_t> ended = 0;
  store_.on_fetch = [&](const FetchRequest&, const FetchWatch& watch) -> Result<FetchProgress> {
    ++begun;
    FetchProgress progress;
    for (; !watch.cancelled->load(); ++progress.partitions_done) {
      watch.on_progress(progress);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ++ended;
    return Status::Cancelled("asked to stop");
  };
  Start();
  const auto fetch = [this](bool hangs_up) {
    httplib::Client client("127.0.0.1", server_->port());
    httplib::Request request;
    request.method = "POST";
    request.path = "/tier/fetch?from=now-1d&to=now";
    request.content_receiver = [hangs_up](const char*, size_t, uint64_t, uint64_t) {
      return !hangs_up;
    };
    (void)client.send(request);
  };
  fetch(true);
  while (ended == 0) std::this_thread::yield();
  std::thread patient([&] { fetch(false); });
  while (begun < 2) std::this_thread::yield();
  server_.reset();
  patient.join();
  EXPECT_EQ(ended, 2U);
}

TEST_F(AdminServerTest, StatusIsJsonWithTheSettingsInForce) {
  store_.stats_answer.stored_rows = 42;
  gate_.Open(&store_);
  Start();
  const auto status = nlohmann::json::parse(client_->Get("/status")->body);
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["store"]["spans_stored"], 42);
  EXPECT_EQ(status["settings"]["memory.limit"], "256MiB");
}

TEST_F(AdminServerTest, AnAddressInUseIsNamed) {
  Start();
  const auto second = AdminServer::Start(Options("127.0.0.1:" + std::to_string(server_->port())));
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);
}

TEST_F(AdminServerTest, ASocketOfTheFileSystemIsRefused) {
  const auto refused = AdminServer::Start(Options("unix:/tmp/admin.sock"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("HOST:PORT"), std::string::npos);
}

// "name type" of every metric that the text describes, on lines that begin with `lead`.
std::set<std::string> Described(std::istream& text, const std::string& lead) {
  std::set<std::string> found;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with(lead)) continue;
    line.erase(0, lead.size());
    const size_t name_end = line.find_first_of("{` ");
    // The type is the next word, behind a label list or a column border.
    const size_t type_begin = line.find(' ', name_end) + (lead[0] == '|' ? 3 : 1);
    const size_t type_end = line.find(' ', type_begin);
    found.insert(line.substr(0, name_end) + " " + line.substr(type_begin, type_end - type_begin));
  }
  return found;
}

TEST(Metrics, ThePageDescribesWhatIsServed) {
  std::ifstream page(LARDER_METRICS_PAGE);
  const StoreStats stats;
  const RpcMetrics rpcs;
  std::istringstream output(RenderMetrics(&stats, {{.id = 1, .name = "a\"b"}}, rpcs, {}));
  const auto documented = Described(page, "| `");
  const auto served = Described(output, "# TYPE ");
  EXPECT_GT(served.size(), 20U);
  EXPECT_EQ(documented, served);
}

TEST(Metrics, CountsCallsByOutcomeAndTime) {
  RpcMetrics rpcs;
  rpcs.Started(Rpc::kExport);
  rpcs.Ended(Rpc::kExport, StatusCode::kOk, 2'000'000);
  rpcs.Started(Rpc::kExport);
  rpcs.Ended(Rpc::kExport, StatusCode::kUnavailable, 60'000'000'000);
  rpcs.Started(Rpc::kFindTraces);
  EXPECT_EQ(rpcs.active_queries(), 1);
  const std::string output = RenderMetrics(nullptr, {}, rpcs, {});
  for (const char* line : {"larder_ready 0\n", "larder_rpc_total{rpc=\"Export\",code=\"ok\"} 1\n",
                           "larder_rpc_total{rpc=\"Export\",code=\"unavailable\"} 1\n",
                           "larder_rpc_active{rpc=\"FindTraces\"} 1\n",
                           "larder_rpc_seconds_bucket{rpc=\"Export\",le=\"0.001\"} 0\n",
                           "larder_rpc_seconds_bucket{rpc=\"Export\",le=\"0.005\"} 1\n",
                           "larder_rpc_seconds_bucket{rpc=\"Export\",le=\"30\"} 1\n",
                           "larder_rpc_seconds_bucket{rpc=\"Export\",le=\"+Inf\"} 2\n",
                           "larder_rpc_seconds_sum{rpc=\"Export\"} 60.002\n"}) {
    EXPECT_NE(output.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace larder
