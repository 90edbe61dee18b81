// The program as Jaeger v1.24 to v1.57 start it: a server on a socket that only its host knows.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/program/commands.h"
#include "plugin/program/environment.h"
#include "plugin/program/open_store.h"
#include "plugin/server/server.h"
#include "plugin/settings/local_disk.h"
#include "plugin/settings/settings.h"
#include "plugin/sidecar/handshake.h"
#include "plugin/sidecar/host_watch.h"
#include "plugin/sidecar/plugin_services.h"
#include "plugin/sidecar/socket_file.h"
#include "plugin/version.h"
#include "storage/base/log.h"

namespace larder {
namespace {

// The host kills a plugin two seconds after Shutdown; what is not sealed is in the journal.
constexpr std::chrono::milliseconds kDrainGrace(500);
// The host waits a minute for the handshake, and what it asks then should find the store open.
constexpr std::chrono::seconds kHandshakeWait(20);
constexpr uint64_t kOwnerWaitMs = 15'000;
constexpr uint64_t kOwnerLookEveryMs = 200;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? "" : value;
}

int Fail(const Status& status, int exit_code) {
  Log(LogLevel::kError, "the storage plugin cannot start: " + std::string(status.message()));
  return exit_code;
}

// Jaeger always gives --config, with an empty value when its user gave no file.
std::vector<std::string> WithoutEmptyConfig(std::vector<std::string> arguments) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] != "--config" || !arguments[i + 1].empty()) continue;
    const auto at = arguments.begin() + static_cast<ptrdiff_t>(i);
    arguments.erase(at, at + 2);
    break;
  }
  return arguments;
}

// Nothing but the handshake may stand on standard output: a host that reads no further would block
// whoever writes there.
void TellHost(std::string_view network, const std::string& address) {
  std::printf("%s\n", HandshakeLine(network, address, Variable).c_str());
  std::fflush(stdout);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, STDOUT_FILENO);
  close(nowhere);
}

// A server that the host can reach: on a socket, or where none can be made on a port.
struct Listening {
  std::unique_ptr<SocketFile> socket;  // null: a port
  std::unique_ptr<Server> server;
  std::string network() const { return socket ? "unix" : "tcp"; }
  std::string address() const {
    return socket ? socket->path() : "127.0.0.1:" + std::to_string(server->port());
  }
};

Result<Listening> Listen(ServerOptions options) {
  Listening listening;
  auto socket = SocketFile::Reserve(SocketDirectory(Variable));
  if (socket.ok()) {
    options.listen = "unix:" + (*socket)->path();
    auto server = Server::Start(options);
    if (server.ok()) {
      listening.socket = std::move(socket).value();
      listening.server = std::move(server).value();
      return listening;
    }
  }
  const PortRange ports = PluginPorts(Variable);
  for (uint32_t port = ports.min; port <= ports.max; ++port) {
    options.listen = "127.0.0.1:" + std::to_string(port);
    auto server = Server::Start(options);
    if (!server.ok()) continue;
    listening.server = std::move(server).value();
    return listening;
  }
  return Status::Unavailable("neither a socket in " + SocketDirectory(Variable) +
                             " nor a port on 127.0.0.1 can be listened on");
}

// The plugin of a Jaeger that ended a moment ago may still have the data directory.
Result<std::unique_ptr<Store>> OpenWhenFree(const StoreOptions& options, HostWatch* host) {
  for (uint64_t waited_ms = 0;; waited_ms += kOwnerLookEveryMs) {
    auto store = OpenStore(options);
    if (store.ok() || ExitCodeOfOpen(store.status()) != kExitLiveOwner) return store;
    if (waited_ms >= kOwnerWaitMs || !host->WaitFor(kOwnerLookEveryMs).empty()) return store;
  }
}

// Opens the store and tells the host where it is served: when it is open, or when that takes long.
// When it cannot be opened before, the host learns it from the end of this process.
Result<std::unique_ptr<Store>> OpenAndTell(const Settings& settings, HostWatch* host,
                                           const Listening& listening) {
  std::promise<bool> is_open;
  std::thread teller([&, outcome = is_open.get_future()]() mutable {
    const bool is_late = outcome.wait_for(kHandshakeWait) == std::future_status::timeout;
    if (is_late || outcome.get()) TellHost(listening.network(), listening.address());
  });
  auto store = OpenWhenFree(settings.store, host);
  if (store.ok()) listening.server->Open(store->get());
  is_open.set_value(store.ok());
  teller.join();
  return store;
}

int ServeHost(const Settings& settings, HostWatch* host, const Listening& listening) {
  auto opened = OpenAndTell(settings, host, listening);
  if (!opened.ok()) {
    listening.server->Drain(std::chrono::milliseconds(0));
    return Fail(opened.status(), ExitCodeOfOpen(opened.status()));
  }
  const std::unique_ptr<Store> store = std::move(opened).value();
  const StoreStats stats = store->stats();
  Log(stats.writable ? LogLevel::kInfo : LogLevel::kError,
      stats.writable ? "ready" : "ready to read, not to write: " + stats.not_writable_reason,
      {{"version", kVersion}, {"data_dir", settings.store.data_dir}});
  const std::string why = host->Wait();
  Log(LogLevel::kInfo, "stopping", {{"why", why}});
  listening.server->Drain(kDrainGrace);
  return kExitOk;
}

}  // namespace

int RunSidecar(const std::vector<std::string>& arguments) {
  SetLogToStderr(LogLevel::kInfo, LogFormat::kHclog);
  umask(077);
  auto settings =
      LoadSettings({.arguments = WithoutEmptyConfig(arguments), .environment = Environment()});
  if (!settings.ok()) return Fail(settings.status(), kExitUsage);
  if (settings->store.data_dir.empty()) {
    return Fail(Status::InvalidArgument(
                    "no data directory: set LARDER_DATA_DIR, or data-dir in the file that "
                    "--grpc-storage-plugin.configuration-file names"),
                kExitUsage);
  }
  SetLogToStderr(settings->log_level, LogFormat::kHclog);
  if (const Status status = CheckLocalDisk(settings->store.data_dir); !status.ok()) {
    return Fail(status, kExitNotWritable);
  }
  auto tier = UseTier(&*settings);
  if (!tier.ok()) return Fail(tier.status(), kExitUsage);
  HostWatch host(settings->shutdown_grace_ms);
  PluginController controller([&host] { host.AskToStop("the host asked"); });
  PluginBroker broker;
  PluginStdio stdio;
  ServerOptions options = ServerOptionsOf(*settings);
  options.otlp_listen.clear();
  options.v1.span_bytes_max = SIZE_MAX;  // the host takes messages of any size
  options.more_services = {{"plugin", &controller}, {"plugin", &broker}, {"plugin", &stdio}};
  auto listening = Listen(options);
  if (!listening.ok()) return Fail(listening.status(), kExitFailure);
  return ServeHost(*settings, &host, *listening);
}

bool IsSidecar() { return IsStartedByJaeger(Variable); }

}  // namespace larder
