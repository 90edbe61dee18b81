// The program as Jaeger v1.24 to v1.57 start it: a server on a socket that only its host knows.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iterator>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/forward/forwarder.h"
#include "plugin/forward/owner_socket.h"
#include "plugin/forward/ownership.h"
#include "plugin/program/commands.h"
#include "plugin/program/environment.h"
#include "plugin/program/open_store.h"
#include "plugin/server/server.h"
#include "plugin/settings/local_disk.h"
#include "plugin/settings/settings.h"
#include "plugin/sidecar/handshake.h"
#include "plugin/sidecar/host_tls.h"
#include "plugin/sidecar/host_watch.h"
#include "plugin/sidecar/plugin_services.h"
#include "plugin/sidecar/socket_file.h"
#include "plugin/version.h"
#include "plugin/wire/unix_address.h"
#include "storage/base/log.h"

namespace larder {
namespace {

// The host kills a plugin two seconds after Shutdown; what is not sealed is in the journal.
constexpr std::chrono::milliseconds kDrainGrace(500);
// Spans that no owner takes are given up before the host is answered all the same.
constexpr std::chrono::milliseconds kFlushPatience =
    PluginController::kFlushMax - std::chrono::seconds(2);
// The host waits a minute for the handshake, and what it asks then should find the store open.
constexpr std::chrono::seconds kHandshakeWait(20);
constexpr std::chrono::seconds kOwnerWait(15);
constexpr std::chrono::milliseconds kLookForOwner(200);
// How often a process that forwards looks whether it can be the owner.
constexpr uint64_t kLookMs = 100;
constexpr uint64_t kTakeOverAgainMs = 1'000;

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
// whoever writes there. False: nobody reads it.
bool Print(const Handshake& handshake) {
  std::printf("%s\n", HandshakeLine(handshake, Variable).c_str());
  const bool is_read = std::fflush(stdout) == 0;
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return is_read;
  dup2(nowhere, STDOUT_FILENO);
  close(nowhere);
  return is_read;
}

// A server that the host can reach: on a socket, or where none can be made on a port.
struct Listening {
  std::unique_ptr<SocketFile> socket;  // null: a port
  std::unique_ptr<Server> server;
  std::string certificate;  // of TLS with the host; empty: plain text
  std::string network() const { return socket ? "unix" : "tcp"; }
  std::string address() const {
    return socket ? socket->path() : "127.0.0.1:" + std::to_string(server->port());
  }
};

Status ListenOnSocket(ServerOptions options, Listening* listening) {
  LARDER_ASSIGN_OR_RETURN(auto socket, SocketFile::Reserve(SocketDirectory(Variable)));
  options.listen = UnixAddress(socket->path());
  LARDER_ASSIGN_OR_RETURN(listening->server, Server::Start(options));
  listening->socket = std::move(socket);
  return Status::Ok();
}

Status ListenOnPort(ServerOptions options, Listening* listening) {
  const PortRange ports = PluginPorts(Variable);
  for (uint32_t port = ports.min; port <= ports.max; ++port) {
    options.listen = "127.0.0.1:" + std::to_string(port);
    auto server = Server::Start(options);
    if (!server.ok()) continue;
    listening->server = std::move(server).value();
    return Status::Ok();
  }
  return Status::Unavailable("no port on 127.0.0.1 can be listened on");
}

// A socket is this user's alone; a port is everybody's on the machine, unless the host has asked
// for certificates on both sides. It shows no token, so none can be asked for.
Status Listen(const SecurityOptions& security, ServerOptions options, Listening* listening) {
  LARDER_ASSIGN_OR_RETURN(HostTls tls, MakeHostTls(Variable("PLUGIN_CLIENT_CERT")));
  const bool is_open_to_all = tls.credentials == nullptr;
  options.credentials = std::move(tls.credentials);
  listening->certificate = std::move(tls.certificate);
  const Status no_socket = ListenOnSocket(options, listening);
  if (no_socket.ok()) return listening->socket->GiveToGroup(Variable("PLUGIN_UNIX_SOCKET_GROUP"));
  const std::string why = "no socket can be made in " + SocketDirectory(Variable) + " (" +
                          std::string(no_socket.message()) + ")";
  if (is_open_to_all && (!security.token_file.empty() || security.tls.enabled())) {
    return Status::Unavailable(why +
                               ", and a port would let in every user of this machine, although "
                               "auth.token-file or tls.cert-file is set: name a directory that can "
                               "be written by TMPDIR, or unset them");
  }
  LARDER_RETURN_IF_ERROR(ListenOnPort(options, listening).With(why));
  Log(LogLevel::kWarning,
      is_open_to_all
          ? "the host is served on a port, which every user of this machine can read and "
            "write by; name a directory for a socket by TMPDIR"
          : "the host is served on a port, with certificates on both sides",
      {{"why", why}, {"address", listening->address()}});
  return Status::Ok();
}

// What has a meaning for `larder serve` alone; a file may be for both.
void WarnOfUnused(const Settings& settings) {
  constexpr std::string_view kUnused[] = {
      "grpc-listen",     "admin-listen",    "otlp.grpc-listen", "otlp.http-listen",
      "archive.listen",  "tls.cert-file",   "tls.key-file",     "tls.client-ca-file",
      "auth.token-file", "insecure-listen", "enable-purge",     "log.format"};
  const Settings standard;
  std::string names;
  for (const Setting& setting : SettingsTable()) {
    if (std::find(std::begin(kUnused), std::end(kUnused), setting.name) == std::end(kUnused) ||
        SettingText(setting, settings) == SettingText(setting, standard)) {
      continue;
    }
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
  }
  if (names.empty()) return;
  Log(LogLevel::kWarning,
      "some settings are for `larder serve` alone: a plugin listens only on its host's socket",
      {{"settings", names}});
}

// A host that died before HostWatch could know its process id does not read this either.
void TellHost(const Listening& listening, HostWatch* host) {
  const std::string network = listening.network();
  const std::string address = listening.address();
  if (Print({.network = network, .address = address, .certificate = listening.certificate})) return;
  host->AskToStop("the host is gone: nobody reads the handshake");
}

// Null: another process owns the directory and answers. The plugin of a Jaeger that ended a moment
// ago may still have it, and an owner that has just begun may not listen yet. `forwarder` may be
// null: the directory's path does not do for a socket.
Result<std::unique_ptr<Ownership>> TakeOrFindOwner(const std::string& data_dir,
                                                   Forwarder* forwarder, HostWatch* host) {
  const auto until = std::chrono::steady_clock::now() + kOwnerWait;
  for (;;) {
    auto taken = Ownership::Take(data_dir);
    if (taken.ok() || taken.status().code() != StatusCode::kAlreadyExists) return taken;
    const bool is_answered = forwarder != nullptr && forwarder->HasOwner(kLookForOwner);
    if (is_answered) return std::unique_ptr<Ownership>();
    if (std::chrono::steady_clock::now() >= until || !host->WaitFor(kLookMs).empty()) {
      return Status::AlreadyExists(std::string(taken.status().message()) +
                                   " (it does not answer on " + data_dir +
                                   "/OWNER.sock, so nothing can be forwarded to it: an older " +
                                   "version, `larder verify`, or a process that hangs)");
    }
  }
}

using OpenWay = Result<std::unique_ptr<Store>> (*)(const StoreOptions&);

Ownership::Listen ForOthers(const Listening& listening) {
  return
      [&listening](const std::string& address) { return listening.server->ServeOthers(address); };
}

Result<std::unique_ptr<Store>> OpenOwned(const Settings& settings, const Listening& listening,
                                         Ownership* ownership, OpenWay open) {
  ownership->Serve(ForOthers(listening));
  if (!ownership->is_served()) listening.server->ServeHeld();
  StoreOptions options = settings.store;
  options.lock = ownership->lock();
  auto store = open(options);
  if (store.ok()) listening.server->Open(store->get());
  return store;
}

// Opens the store and tells the host where it is served: when it is open, or when that takes long.
// When it cannot be opened before, the host learns it from the end of this process.
Result<std::unique_ptr<Store>> OpenAndTell(const Settings& settings, const Listening& listening,
                                           Ownership* ownership, HostWatch* host) {
  std::promise<bool> is_open;
  std::thread teller([&, outcome = is_open.get_future()]() mutable {
    const bool is_late = outcome.wait_for(kHandshakeWait) == std::future_status::timeout;
    if (is_late || outcome.get()) TellHost(listening, host);
  });
  auto store = OpenOwned(settings, listening, ownership, OpenStore);
  is_open.set_value(store.ok());
  teller.join();
  return store;
}

int ServeUntilTold(const Settings& settings, HostWatch* host, const Listening& listening,
                   Ownership* ownership, const Store& store) {
  const StoreStats stats = store.stats();
  Log(stats.writable ? LogLevel::kInfo : LogLevel::kError,
      stats.writable ? "ready" : "ready to read, not to write: " + stats.not_writable_reason,
      {{"version", kVersion}, {"data_dir", settings.store.data_dir}});
  std::string why;
  ownership->KeepServing(ForOthers(listening), [&](uint64_t ms) {
    why = host->WaitFor(ms);
    return !why.empty();
  });
  Log(LogLevel::kInfo, "stopping", {{"why", why}});
  listening.server->Drain(kDrainGrace);
  return kExitOk;
}

// Forwards until the owner is gone, then is the owner.
int ForwardThenOwn(const Settings& settings, HostWatch* host, const Listening& listening) {
  listening.server->Forward();
  TellHost(listening, host);
  Log(LogLevel::kInfo, "forwarding to the process that owns the data directory",
      {{"version", kVersion}, {"data_dir", settings.store.data_dir}});
  uint64_t wait_ms = kLookMs;
  while (host->WaitFor(wait_ms).empty()) {
    const auto ownership = Ownership::Take(settings.store.data_dir);
    if (!ownership.ok()) continue;
    Log(LogLevel::kInfo, "the owner of the data directory is gone: this process takes over");
    // One that cannot write would keep the directory from those who can.
    const auto store = OpenOwned(settings, listening, ownership->get(), Store::OpenToWrite);
    if (store.ok()) return ServeUntilTold(settings, host, listening, ownership->get(), **store);
    Log(LogLevel::kError, "the data directory cannot be taken over; trying again",
        {{"why", store.status().message()}});
    listening.server->ServeNobody();  // before the lock goes: others look for the next owner
    wait_ms = kTakeOverAgainMs;
  }
  listening.server->Drain(kDrainGrace);
  return kExitOk;
}

int ServeHost(const Settings& settings, HostWatch* host, const Listening& listening,
              Forwarder* forwarder) {
  const auto ownership = TakeOrFindOwner(settings.store.data_dir, forwarder, host);
  if (!ownership.ok()) return Fail(ownership.status(), ExitCodeOfOpen(ownership.status()));
  if (*ownership == nullptr) return ForwardThenOwn(settings, host, listening);
  const auto store = OpenAndTell(settings, listening, ownership->get(), host);
  if (store.ok()) return ServeUntilTold(settings, host, listening, ownership->get(), **store);
  listening.server->Drain(std::chrono::milliseconds(0));
  return Fail(store.status(), ExitCodeOfOpen(store.status()));
}

}  // namespace

int RunSidecar(const std::vector<std::string>& arguments) {
  HostWatch host;
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
  WarnOfUnused(*settings);
  if (const Status status = CheckLocalDisk(settings->store.data_dir); !status.ok()) {
    return Fail(status, kExitNotWritable);
  }
  auto tier = UseTier(&*settings);
  if (!tier.ok()) return Fail(tier.status(), kExitUsage);
  host.set_grace_ms(settings->shutdown_grace_ms);
  Server* server = nullptr;  // set before the host learns where it listens
  PluginController controller(
      [&server](PluginController::Done done) { server->FlushV1(std::move(done), kFlushPatience); },
      [&host] { host.AskToStop("the host asked"); });
  PluginBroker broker;
  PluginStdio stdio;
  const std::string& data_dir = settings->store.data_dir;
  if (const Status made = FileSystem::Posix().CreateDirectories(data_dir); !made.ok()) {
    return Fail(made, kExitNotWritable);
  }
  const auto owner_socket = OwnerSocket::At(data_dir);
  std::unique_ptr<Forwarder> forwarder;
  if (owner_socket.ok()) forwarder = std::make_unique<Forwarder>((*owner_socket)->address());
  ServerOptions options = ServerOptionsOf(*settings);
  options.forwarder = forwarder.get();
  options.otlp_listen.clear();
  options.archive_listen.clear();
  options.v1.span_bytes_max = SIZE_MAX;  // the host takes messages of any size
  options.more_services = {{"plugin", &controller}, {"plugin", &broker}, {"plugin", &stdio}};
  Listening listening;
  if (const Status status = Listen(settings->security, options, &listening); !status.ok()) {
    return Fail(status, kExitFailure);
  }
  server = listening.server.get();
  return ServeHost(*settings, &host, listening, forwarder.get());
}

bool IsSidecar() { return IsStartedByJaeger(Variable); }

}  // namespace larder
