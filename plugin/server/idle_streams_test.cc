// Hundreds of streams whose reader is asleep: they hold memory for one message each, and no thread.
// Prints what they hold.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <jaeger/storage/v2/trace_storage.grpc.pb.h>
#include <unistd.h>

#include "plugin/server/server.h"
#include "plugin/store/fake_store.h"

namespace larder {
namespace {

namespace v2 = jaeger::storage::v2;
using opentelemetry::proto::trace::v1::TracesData;

constexpr int kStreams = 300;

size_t ThreadCount() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    count += entry.exists() ? 1U : 0U;
  }
  return count;
}

uint64_t ResidentKiB() {
  uint64_t pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

// A client that begins a call and never reads.
class Sleeper final : public grpc::ClientReadReactor<TracesData> {
 public:
  void Begin(v2::TraceReader::Stub* stub) {
    stub->async()->GetTraces(&context_, &request_, this);
    AddHold();
    StartCall();
  }
  void Stop() {
    context_.TryCancel();
    RemoveHold();
  }
  void OnDone(const grpc::Status& /*status*/) override { done_.store(true); }
  bool done() const { return done_.load(); }

 private:
  grpc::ClientContext context_;
  v2::GetTracesRequest request_;
  std::atomic<bool> done_{false};
};

bool Eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 6000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// Whether the store comes to make no more chunks, though it could go on for ever: half a second
// without one, within a minute.
bool FallsAsleep(const FakeStore& store) {
  uint64_t served = store.asked().chunks_served;
  int still = 0;
  for (int i = 0; i < 1200 && still < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const uint64_t now = store.asked().chunks_served;
    still = now == served ? still + 1 : 0;
    served = now;
  }
  return still == 10;
}

TEST(IdleStreams, HoldNoThreads) {
  FakeStore store;
  TracesData chunk;
  chunk.add_resource_spans()->set_schema_url(std::string(256 << 10, 's'));
  store.chunks = {chunk.SerializeAsString()};
  store.endless = true;
  auto server = Server::Start({.listen = "127.0.0.1:0", .pending_reply_bytes_max = 1 << 30});
  ASSERT_TRUE(server.ok());
  (*server)->Open(&store);
  // The client must not read ahead, or it is its memory that is measured.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 << 10);
  const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string((*server)->port()),
                                                 grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v2::TraceReader::NewStub(channel);

  std::vector<std::unique_ptr<Sleeper>> sleepers;
  const auto begin = [&](int count) {
    const size_t before = sleepers.size();
    for (int i = 0; i < count; ++i) {
      sleepers.push_back(std::make_unique<Sleeper>());
      sleepers.back()->Begin(stub.get());
    }
    const uint64_t expected = before + static_cast<uint64_t>(count);
    EXPECT_TRUE(Eventually([&] { return store.asked().cursors_open == expected; }));
  };
  begin(10);  // what the first calls of a connection start for all
  EXPECT_TRUE(FallsAsleep(store));
  const size_t threads_before = ThreadCount();
  const uint64_t memory_before = ResidentKiB();
  begin(kStreams);
  // Nothing is made ahead of its reader.
  EXPECT_TRUE(FallsAsleep(store));
  const size_t threads = ThreadCount();
  const uint64_t memory = ResidentKiB();
  std::printf(
      "%d idle streams: %zu threads before, %zu with them; %.1f KiB each, the client's end "
      "and one chunk of 256 KiB included\n",
      kStreams, threads_before, threads,
      static_cast<double>(memory - std::min(memory, memory_before)) / kStreams);
  EXPECT_LE(threads, threads_before + 4);
  EXPECT_LT(memory, memory_before + kStreams * uint64_t{1024});

  for (const auto& sleeper : sleepers) sleeper->Stop();
  EXPECT_TRUE(Eventually([&] {
    for (const auto& sleeper : sleepers) {
      if (!sleeper->done()) return false;
    }
    return store.asked().cursors_open == 0;
  }));
}

}  // namespace
}  // namespace larder
