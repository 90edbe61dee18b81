// What a go-plugin host reads and gives.
#include "plugin/sidecar/handshake.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugin/security/test_certificates.h"
#include "plugin/sidecar/host_tls.h"
#include "plugin/sidecar/plugin_services.h"
#include "plugin/sidecar/socket_file.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

GetVariable Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

TEST(HandshakeTest, LineIsWhatHostsRead) {
  const Handshake socket = {.network = "unix", .address = "/tmp/s"};
  EXPECT_EQ(HandshakeLine(socket, Variables({})), "1|1|unix|/tmp/s|grpc|");
  EXPECT_EQ(HandshakeLine({.network = "tcp", .address = "127.0.0.1:10000"},
                          Variables({{"PLUGIN_PROTOCOL_VERSIONS", "7"}})),
            "1|1|tcp|127.0.0.1:10000|grpc|");
  EXPECT_EQ(HandshakeLine(socket, Variables({{"PLUGIN_MULTIPLEX_GRPC", "true"}})),
            "1|1|unix|/tmp/s|grpc||false");
  EXPECT_EQ(
      HandshakeLine({.network = "unix", .address = "/tmp/s", .certificate = "MIIB"}, Variables({})),
      "1|1|unix|/tmp/s|grpc|MIIB");
}

TEST(HandshakeTest, EnvironmentSaysWhoStartedAndWhereToListen) {
  EXPECT_TRUE(IsStartedByJaeger(Variables({{"STORAGE_PLUGIN", "jaeger"}})));
  EXPECT_FALSE(IsStartedByJaeger(Variables({{"STORAGE_PLUGIN", "other"}})));
  EXPECT_FALSE(IsStartedByJaeger(Variables({})));
  EXPECT_EQ(SocketDirectory(Variables({})), "/tmp");
  EXPECT_EQ(SocketDirectory(Variables({{"TMPDIR", "/t"}})), "/t");
  EXPECT_EQ(SocketDirectory(Variables({{"TMPDIR", "/t"}, {"PLUGIN_UNIX_SOCKET_DIR", "/d"}})), "/d");
  const PortRange ports =
      PluginPorts(Variables({{"PLUGIN_MIN_PORT", "10000"}, {"PLUGIN_MAX_PORT", "25000"}}));
  EXPECT_EQ(ports.min, 10000U);
  EXPECT_EQ(ports.max, 25000U);
  EXPECT_EQ(PluginPorts(Variables({{"PLUGIN_MIN_PORT", "9"}, {"PLUGIN_MAX_PORT", "5"}})).min, 0U);
  EXPECT_EQ(PluginPorts(Variables({{"PLUGIN_MIN_PORT", "x"}, {"PLUGIN_MAX_PORT", "99999"}})).max,
            0U);
}

// A socket that listens until it is closed; the file stays.
int MakeListener(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  return listener;
}

void MakeSocket(const std::string& path) { close(MakeListener(path)); }

TEST(SocketFileTest, RemovesWhatTheDeadLeft) {
  const ScratchDirectory directory;
  const std::string left = directory.File("larder-plugin-0123456789abcdef");
  // Of a process that this one cannot see by its number: it may live in another container.
  const std::string alive = directory.File("larder-plugin-999999999");
  const std::string begins = directory.File("larder-plugin-1");  // has not come to listen yet
  const std::string other = directory.File("other-0123456789abcdef");
  const int listener = MakeListener(alive);
  for (const std::string& dead : {left, begins, other}) MakeSocket(dead);
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const std::string& old : {left, alive, other}) {
    std::filesystem::last_write_time(old, long_ago);
  }
  std::string own;
  {
    const auto socket = SocketFile::Reserve(directory.path());
    ASSERT_TRUE(socket.ok()) << socket.status().ToString();
    own = (*socket)->path();
    MakeSocket(own);
    EXPECT_NE(access(left.c_str(), F_OK), 0);
    for (const std::string& kept : {alive, begins, other}) {
      EXPECT_EQ(access(kept.c_str(), F_OK), 0) << kept;
    }
  }
  EXPECT_NE(access(own.c_str(), F_OK), 0);
  EXPECT_FALSE(SocketFile::Reserve(directory.File(std::string(100, 'x'))).ok());
  close(listener);
}

TEST(SocketFileTest, ProcessesOfOneNumberHaveSocketsOfTheirOwn) {
  const ScratchDirectory directory;  // shared by containers, in each of which the plugin is pid 1
  const auto one = SocketFile::Reserve(directory.path());
  ASSERT_TRUE(one.ok());
  MakeSocket((*one)->path());
  const auto two = SocketFile::Reserve(directory.path());
  ASSERT_TRUE(two.ok());
  EXPECT_NE((*one)->path(), (*two)->path());
  EXPECT_EQ(access((*one)->path().c_str(), F_OK), 0);
}

TEST(SocketFileTest, IsGivenToAGroup) {
  const ScratchDirectory directory;
  const auto socket = SocketFile::Reserve(directory.path());
  ASSERT_TRUE(socket.ok()) << socket.status().ToString();
  MakeSocket((*socket)->path());
  ASSERT_EQ(chmod((*socket)->path().c_str(), S_IRUSR | S_IWUSR), 0);
  const auto mode = [&] {
    struct stat facts {};
    EXPECT_EQ(stat((*socket)->path().c_str(), &facts), 0);
    return facts.st_mode & 0777;
  };
  EXPECT_TRUE((*socket)->GiveToGroup("").ok());
  EXPECT_EQ(mode(), 0600U);
  EXPECT_EQ((*socket)->GiveToGroup("no such group").code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE((*socket)->GiveToGroup(std::to_string(getgid())).ok());
  EXPECT_EQ(mode(), 0660U);
}

TEST(HostTlsTest, OnlyWhenTheHostAsks) {
  const auto plain = MakeHostTls("");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->credentials, nullptr);
  EXPECT_EQ(plain->certificate, "");
  EXPECT_EQ(MakeHostTls("no certificate").status().code(), StatusCode::kInvalidArgument);
  const auto tls = MakeHostTls(TestAuthority("host").cert_pem());
  ASSERT_TRUE(tls.ok()) << tls.status().ToString();
  EXPECT_NE(tls->credentials, nullptr);
  // Hosts look at a certificate only above 50 characters, and their decoder knows no padding.
  EXPECT_GT(tls->certificate.size(), 300U);
  EXPECT_EQ(tls->certificate.find_first_of("=\n|"), std::string::npos);
}

// A disk that hangs must not keep the host from its end.
TEST(PluginControllerTest, AFlushThatDoesNotEndIsWaitedForInVain) {
  PluginController::Done pending;
  std::atomic<int> shutdowns = 0;
  PluginController controller([&](PluginController::Done done) { pending = std::move(done); },
                              [&] { ++shutdowns; }, std::chrono::milliseconds(50));
  grpc::ServerBuilder builder;
  builder.RegisterService(&controller);
  const auto server = builder.BuildAndStart();
  const auto stub = plugin::GRPCController::NewStub(server->InProcessChannel({}));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  plugin::Empty reply;
  const grpc::Status status = stub->Shutdown(&context, {}, &reply);
  EXPECT_TRUE(status.ok()) << status.error_message();
  pending();  // nobody waits for it by now
  server->Shutdown();
  EXPECT_EQ(shutdowns, 1);
}

}  // namespace
}  // namespace larder
