// What a go-plugin host reads and gives.
#include "plugin/sidecar/handshake.h"

#include <map>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

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
  EXPECT_EQ(HandshakeLine("unix", "/tmp/s", Variables({})), "1|1|unix|/tmp/s|grpc|");
  EXPECT_EQ(HandshakeLine("tcp", "127.0.0.1:10000", Variables({{"PLUGIN_PROTOCOL_VERSIONS", "7"}})),
            "1|1|tcp|127.0.0.1:10000|grpc|");
  EXPECT_EQ(HandshakeLine("unix", "/tmp/s", Variables({{"PLUGIN_MULTIPLEX_GRPC", "true"}})),
            "1|1|unix|/tmp/s|grpc||false");
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

void MakeSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(listener);
}

TEST(SocketFileTest, RemovesWhatTheDeadLeft) {
  const ScratchDirectory directory;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const std::string left = directory.File("larder-plugin-" + std::to_string(child));
  const std::string alive = directory.File("larder-plugin-" + std::to_string(getppid()));
  MakeSocket(left);
  MakeSocket(alive);
  {
    const auto socket = SocketFile::Reserve(directory.path());
    ASSERT_TRUE(socket.ok()) << socket.status().ToString();
    MakeSocket((*socket)->path());
    EXPECT_NE(access(left.c_str(), F_OK), 0);
    EXPECT_EQ(access(alive.c_str(), F_OK), 0);
  }
  EXPECT_NE(access(directory.File("larder-plugin-" + std::to_string(getpid())).c_str(), F_OK), 0);
  EXPECT_FALSE(SocketFile::Reserve(directory.File(std::string(100, 'x'))).ok());
}

}  // namespace
}  // namespace larder
