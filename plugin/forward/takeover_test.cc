// Several real plugin processes on one data directory, as Jaeger's collector and query start them,
// and their owner killed again and again while spans come in.
//
//   LARDER_OWNER_KILLS=200 larder_plugin_takeover_test       more kills than usual
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <goplugin/plugin.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <jaeger/storage/v1/storage.grpc.pb.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/base/mutex.h"
#include "storage/engine/store.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

namespace storage = jaeger::storage::v1;

constexpr int kMembers = 3;
constexpr int kWritersOfMember = 4;
constexpr uint64_t kSpansOfStream = 40;
constexpr int kKillsUsually = 6;

int KillsWanted() {
  const char* wanted = std::getenv("LARDER_OWNER_KILLS");        // NOLINT(concurrency-mt-unsafe)
  return wanted == nullptr ? kKillsUsually : std::atoi(wanted);  // NOLINT: a number or nothing
}

// Starts the program as go-plugin's host does; `output` is to be its standard output, `more` are
// environment variables, NAME=VALUE.
pid_t Spawn(const std::string& data_dir, const std::string& log, int output,
            const std::vector<std::string>& more) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<std::string> variables = more;  // the first of a name counts
  for (const std::string& usual :
       {std::string("STORAGE_PLUGIN=jaeger"), std::string("PLUGIN_PROTOCOL_VERSIONS=1"),
        "LARDER_DATA_DIR=" + data_dir, "TMPDIR=" + data_dir}) {
    variables.push_back(usual);
  }
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string program = LARDER_BINARY;
  char* arguments[] = {program.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environment.data()),
            0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// A plugin with the handshake that its host reads.
class Plugin {
 public:
  // `more`: environment variables, NAME=VALUE.
  Plugin(const std::string& data_dir, const std::string& log,
         const std::vector<std::string>& more = {}) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    pid_ = Spawn(data_dir, log, ends[1], more);
    close(ends[1]);
    FILE* const output = fdopen(ends[0], "r");
    char line[512] = {};
    if (std::fgets(line, sizeof line, output) != nullptr) ReadHandshake(line);
    std::fclose(output);  // NOLINT: fdopen gave it
    if (!has_started()) return;
    channel_ = grpc::CreateChannel(network_ == "unix" ? "unix:" + address_ : address_,
                                   grpc::InsecureChannelCredentials());
  }
  ~Plugin() { Kill(); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  pid_t pid() const { return pid_; }
  bool has_started() const { return !address_.empty(); }
  // Of the handshake; empty when there was none.
  const std::string& network() const { return network_; }
  // The process is about to go, or gone: its calls may fail.
  bool is_doomed() const { return is_doomed_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  void Kill() {
    is_doomed_ = true;
    if (is_reaped_.exchange(true)) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  // It hangs, and goes on.
  void Pause() const { kill(pid_, SIGSTOP); }
  void Resume() const { kill(pid_, SIGCONT); }
  // As a host ends its plugin; returns the exit code.
  int Stop() {
    is_doomed_ = true;
    grpc::ClientContext context;
    plugin::Empty reply;
    plugin::GRPCController::NewStub(channel_)->Shutdown(&context, {}, &reply);
    is_reaped_ = true;
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  // "1|1|unix|PATH|grpc|"
  void ReadHandshake(const std::string& line) {
    std::istringstream fields(line);
    std::string version;
    std::getline(std::getline(fields, version, '|'), version, '|');
    std::getline(std::getline(fields, network_, '|'), address_, '|');
  }

  pid_t pid_ = 0;
  std::string network_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::atomic<bool> is_doomed_{false};
  std::atomic<bool> is_reaped_{false};
};

std::string TraceIdOf(int number) {
  std::string digits = std::to_string(number);
  digits.insert(0, 16 - digits.size(), 'T');
  return digits;
}

std::string SpanIdOf(uint64_t number) {
  std::string id(8, '\0');
  for (size_t i = 0; i < id.size(); ++i) id[i] = static_cast<char>((number >> (8 * i)) + 1);
  return id;
}

storage::WriteSpanRequest RequestOf(int trace, uint64_t span) {
  storage::WriteSpanRequest request;
  jaeger::api_v2::Span* made = request.mutable_span();
  made->set_trace_id(TraceIdOf(trace));
  made->set_span_id(SpanIdOf(span));
  made->set_operation_name("work");
  made->mutable_start_time()->set_seconds(1'760'000'000);
  made->mutable_start_time()->set_nanos(static_cast<int32_t>(span % 1'000'000'000));
  made->mutable_process()->set_service_name("takeover");
  return request;
}

// What writers were told: each has a trace of its own.
class Ledger {
 public:
  void Sent(int trace, uint64_t span) { Spans(trace)[span] = false; }
  void Acknowledged(int trace, uint64_t span) { Spans(trace)[span] = true; }

  using Trace = std::map<uint64_t, bool>;  // span number, acknowledged
  // Of one writer at a time; a reference lives as long as the ledger.
  Trace& Spans(int trace) {
    const MutexLock lock(mu_);
    return traces_[trace];
  }
  int NewTrace() {
    const MutexLock lock(mu_);
    return next_++;
  }
  int traces() {
    const MutexLock lock(mu_);
    return next_;
  }

 private:
  Mutex mu_;
  std::map<int, Trace> traces_ GUARDED_BY(mu_);
  int next_ GUARDED_BY(mu_) = 0;
};

// Writes to one plugin until it is told to stop or the plugin is doomed: some threads span by span,
// one by streams of a few dozen.
class Host {
 public:
  Host(const std::string& data_dir, const std::string& log, Ledger* ledger)
      : plugin_(data_dir, log), ledger_(ledger) {
    if (!plugin_.has_started()) return;
    for (int i = 0; i < kWritersOfMember; ++i) threads_.emplace_back([this] { WriteOneByOne(); });
    threads_.emplace_back([this] { WriteStreams(); });
  }
  ~Host() { Join(); }

  Plugin& plugin() { return plugin_; }
  void Join() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  // Calls that failed although nobody touched the plugin.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  bool MayGoOn() const { return !stop_ && !plugin_.is_doomed(); }

  void WriteOneByOne() {
    const int trace = ledger_->NewTrace();
    const auto stub = storage::SpanWriterPlugin::NewStub(plugin_.channel());
    for (uint64_t span = 0; MayGoOn(); ++span) {
      ledger_->Sent(trace, span);
      grpc::ClientContext context;
      storage::WriteSpanResponse reply;
      Note(stub->WriteSpan(&context, RequestOf(trace, span), &reply), trace, span, span + 1);
    }
  }
  void WriteStreams() {
    const int trace = ledger_->NewTrace();
    const auto stub = storage::StreamingSpanWriterPlugin::NewStub(plugin_.channel());
    for (uint64_t first = 0; MayGoOn(); first += kSpansOfStream) {
      grpc::ClientContext context;
      storage::WriteSpanResponse reply;
      auto stream = stub->WriteSpanStream(&context, &reply);
      for (uint64_t span = first; span < first + kSpansOfStream; ++span) {
        ledger_->Sent(trace, span);
        if (!stream->Write(RequestOf(trace, span))) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      stream->WritesDone();
      const grpc::Status outcome = stream->Finish();
      // A plugin that stops ends its streams early, with what they brought so far.
      if (!outcome.ok() || !plugin_.is_doomed())
        Note(outcome, trace, first, first + kSpansOfStream);
    }
  }
  void Note(const grpc::Status& outcome, int trace, uint64_t begin, uint64_t end) {
    if (outcome.ok()) {
      for (uint64_t span = begin; span < end; ++span) ledger_->Acknowledged(trace, span);
    } else if (!plugin_.is_doomed()) {
      const MutexLock lock(mu_);
      failures_.push_back(outcome.error_message());
    }
  }

  Plugin plugin_;
  Ledger* const ledger_;
  std::atomic<bool> stop_{false};
  Mutex mu_;
  std::vector<std::string> failures_;  // guarded by mu_ while the threads run
  std::vector<std::thread> threads_;
};

class TakeoverTest : public testing::Test {
 protected:
  std::unique_ptr<Host> NewHost() {
    auto host = std::make_unique<Host>(data_dir_, directory_.File("plugins.log"), &ledger_);
    EXPECT_TRUE(host->plugin().has_started()) << Log();
    return host;
  }
  std::string Log() const {
    std::ifstream file(directory_.File("plugins.log"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.size() < 4000 ? text : text.substr(text.size() - 4000);
  }
  // The one that holds the lock; kMembers when nobody does who lives.
  size_t OwnerIndex() const {
    std::ifstream file(data_dir_ + "/LOCK");
    pid_t pid = 0;
    file >> pid;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      if (hosts_[i]->plugin().pid() == pid) return i;
    }
    return kMembers;
  }
  size_t AwaitOwner() const {
    for (int i = 0; i < 3000; ++i) {
      const size_t owner = OwnerIndex();
      if (owner < hosts_.size()) return owner;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "nobody owns the data directory\n" << Log();
    return 0;
  }
  void Replace(size_t index) {
    hosts_[index]->Join();
    for (const std::string& failure : hosts_[index]->failures()) ADD_FAILURE() << failure;
    hosts_[index] = NewHost();
  }

  // Reads every trace and holds it against what the writers were told.
  void Check(Plugin& plugin) {
    const auto reader = storage::SpanReaderPlugin::NewStub(plugin.channel());
    for (int trace = 0; trace < ledger_.traces(); ++trace) {
      std::map<std::string, int> got;
      grpc::ClientContext context;
      storage::GetTraceRequest request;
      request.set_trace_id(TraceIdOf(trace));
      const auto stream = reader->GetTrace(&context, request);
      storage::SpansResponseChunk chunk;
      while (stream->Read(&chunk)) {
        for (const auto& span : chunk.spans()) ++got[span.span_id()];
      }
      const grpc::Status status = stream->Finish();
      if (!status.ok()) {
        ASSERT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << status.error_message();
      }
      for (const auto& [span, is_acknowledged] : ledger_.Spans(trace)) {
        const auto found = got.find(SpanIdOf(span));
        const int times = found == got.end() ? 0 : found->second;
        EXPECT_LE(times, 1) << "trace " << trace << " span " << span;
        if (is_acknowledged) {
          EXPECT_EQ(times, 1) << "trace " << trace << " span " << span;
          ++acknowledged_;
        }
        present_ += static_cast<uint64_t>(times);
      }
    }
  }

  const ScratchDirectory directory_;
  const std::string data_dir_ = directory_.File("data");
  Random random_{TestSeed()};
  Ledger ledger_;
  std::vector<std::unique_ptr<Host>> hosts_;
  uint64_t acknowledged_ = 0;
  uint64_t present_ = 0;
};

TEST_F(TakeoverTest, EverySpanIsThereOnceWhoeverDies) {
  for (int i = 0; i < kMembers; ++i) hosts_.push_back(NewHost());
  ASSERT_FALSE(HasFailure());
  const int kills = KillsWanted();
  int kills_of_owners = 0;
  int stops = 0;
  for (int round = 0; round < kills && !HasFailure(); ++round) {
    const size_t owner = AwaitOwner();
    std::this_thread::sleep_for(std::chrono::milliseconds(random_.Between(0, 400)));
    if (round % 6 == 5) {  // a host that ends as it should
      EXPECT_EQ(hosts_[owner]->plugin().Stop(), 0);
      ++stops;
    } else {
      hosts_[owner]->plugin().Kill();
      ++kills_of_owners;
    }
    // Sometimes before anybody has noticed, sometimes when the next owner is at work.
    if (random_.OneIn(2))
      std::this_thread::sleep_for(std::chrono::milliseconds(random_.Below(400)));
    Replace(owner);
    if (random_.OneIn(4)) {  // one that forwards, or has just become the owner
      const size_t other = (owner + 1) % kMembers;
      hosts_[other]->plugin().Kill();
      Replace(other);
    }
  }
  for (const auto& host : hosts_) {
    host->Join();
    for (const std::string& failure : host->failures()) ADD_FAILURE() << failure;
  }
  const size_t owner = AwaitOwner();
  Check(hosts_[(owner + 1) % kMembers]->plugin());  // forwards
  EXPECT_GT(acknowledged_, 0U);
  for (size_t i = 0; i < hosts_.size(); ++i) EXPECT_EQ(hosts_[i]->plugin().Stop(), 0);

  const auto store = Store::Open({.data_dir = data_dir_});
  ASSERT_TRUE(store.ok()) << store.status().ToString();
  ASSERT_TRUE((*store)->Flush().ok());
  const uint64_t rows = (*store)->stats().stored_rows;
  EXPECT_GE(rows, present_);
  // Reads leave equal spans out; this does not. An owner that is stopped and too slow to answer may
  // have sealed what comes again: of each other member the spans that wait for one answer.
  constexpr uint64_t kWaiting = kWritersOfMember + kSpansOfStream;
  EXPECT_LE(rows, present_ + static_cast<uint64_t>(stops) * (kMembers - 1) * kWaiting);
  std::printf("%d kills of owners, %d stops: %llu spans acknowledged, %llu present, %llu stored\n",
              kills_of_owners, stops, static_cast<unsigned long long>(acknowledged_),
              static_cast<unsigned long long>(present_), static_cast<unsigned long long>(rows));
}

// Nobody takes the directory from a process that lives: calls wait until it goes on.
TEST_F(TakeoverTest, AnOwnerThatHangsForAWhileLosesNothing) {
  for (int i = 0; i < 2; ++i) hosts_.push_back(NewHost());
  ASSERT_FALSE(HasFailure());
  const size_t owner = AwaitOwner();
  hosts_[owner]->plugin().Pause();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_EQ(OwnerIndex(), owner);
  hosts_[owner]->plugin().Resume();
  for (const auto& host : hosts_) {
    host->Join();
    for (const std::string& failure : host->failures()) ADD_FAILURE() << failure;
  }
  EXPECT_EQ(OwnerIndex(), owner);
  Check(hosts_[1 - owner]->plugin());
  EXPECT_GT(acknowledged_, 0U);
}

// The host's socket leads to the archive too; a port would be open to everybody on the machine.
TEST_F(TakeoverTest, APluginOpensNoPortForTheArchive) {
  const int port_holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(port_holder, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(port_holder, 1), 0);
  ASSERT_EQ(getsockname(port_holder, reinterpret_cast<sockaddr*>(&address), &size), 0);
  // Held here, so that a plugin that asked for the port could not start.
  Plugin plugin(data_dir_, directory_.File("plugins.log"),
                {"LARDER_ARCHIVE_LISTEN=127.0.0.1:" + std::to_string(ntohs(address.sin_port))});
  EXPECT_TRUE(plugin.has_started()) << Log();
  close(port_holder);
}

// A port lets in every user of the machine, so it is no silent way out.
TEST_F(TakeoverTest, APortInsteadOfASocketIsSaidAndNeverPassesOverAToken) {
  const std::string log = directory_.File("plugins.log");
  const std::string token_file = directory_.File("tokens");
  std::ofstream(token_file) << "secret\n";
  std::filesystem::permissions(token_file, std::filesystem::perms::owner_read);
  const std::string no_directory = "TMPDIR=" + directory_.File("nothing");
  const Plugin guarded(data_dir_, log, {no_directory, "LARDER_AUTH_TOKEN_FILE=" + token_file});
  EXPECT_FALSE(guarded.has_started());
  EXPECT_NE(Log().find("auth.token-file"), std::string::npos) << Log();
  const Plugin open(data_dir_, log, {no_directory, "LARDER_ADMIN_LISTEN=127.0.0.1:1"});
  EXPECT_EQ(open.network(), "tcp") << Log();
  EXPECT_NE(Log().find("every user of this machine can read"), std::string::npos) << Log();
  EXPECT_NE(Log().find("\"settings\":\"admin-listen\""), std::string::npos) << Log();
}

// Its host died before the plugin could look who it is: only the pipe tells.
TEST_F(TakeoverTest, APluginWhoseHandshakeNobodyReadsLeaves) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  const pid_t pid = Spawn(data_dir_, directory_.File("plugins.log"), ends[1], {});
  close(ends[1]);
  int status = 0;
  pid_t ended = 0;
  for (int i = 0; i < 6000 && ended == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ended = waitpid(pid, &status, WNOHANG);
  }
  if (ended == 0) kill(pid, SIGKILL);
  ASSERT_EQ(ended, pid) << Log();
  EXPECT_TRUE(WIFEXITED(status)) << "by signal " << WTERMSIG(status);  // not by SIGPIPE
  EXPECT_EQ(WEXITSTATUS(status), 0) << Log();
}

// Who forwards looks at the directory ten times a second.
TEST_F(TakeoverTest, AFormatThatIsTornFloodsNoLog) {
  const std::string log = directory_.File("plugins.log");
  const Plugin owner(data_dir_, log);
  ASSERT_TRUE(owner.has_started()) << Log();
  std::ofstream(data_dir_ + "/FORMAT") << "torn";
  const Plugin other(data_dir_, log);
  ASSERT_TRUE(other.has_started()) << Log();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(Log().find("the format file cannot be understood"), std::string::npos) << Log();
}

// It lets go, so that whoever can write gets the directory.
TEST_F(TakeoverTest, NobodyKeepsADirectoryThatItCannotWrite) {
  for (int i = 0; i < kMembers; ++i) hosts_.push_back(NewHost());
  ASSERT_FALSE(HasFailure());
  const size_t dead = AwaitOwner();
  // The store can be read, but not written: the format cannot be put right.
  std::ofstream(data_dir_ + "/FORMAT") << "torn";
  std::filesystem::create_directory(data_dir_ + "/FORMAT.new");
  hosts_[dead]->plugin().Kill();
  hosts_[dead]->Join();
  std::set<size_t> tried;  // each of the others holds the lock in its turn
  for (int i = 0; i < 2000 && tried.size() + 1 < hosts_.size(); ++i) {
    const size_t owner = OwnerIndex();
    if (owner < hosts_.size() && owner != dead) tried.insert(owner);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(tried.size() + 1, hosts_.size()) << Log();
  std::filesystem::remove(data_dir_ + "/FORMAT.new");
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (i == dead) continue;
    const auto writer = storage::SpanWriterPlugin::NewStub(hosts_[i]->plugin().channel());
    grpc::ClientContext context;
    storage::WriteSpanResponse reply;
    const grpc::Status written =
        writer->WriteSpan(&context, RequestOf(ledger_.NewTrace(), 0), &reply);
    EXPECT_TRUE(written.ok()) << written.error_message();
    hosts_[i]->Join();
    for (const std::string& failure : hosts_[i]->failures()) ADD_FAILURE() << failure;
  }
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (i != dead) Check(hosts_[i]->plugin());
  }
  EXPECT_GT(acknowledged_, 0U);
}

}  // namespace
}  // namespace larder
